package dev.nibble.trainer.optim;

/**
 * The learning rate of each step, with the meaning that transformers' schedules of the same names
 * have: steps are counted from 0, and during the first {@code warmup} steps the rate rises linearly
 * from 0 to {@code peak}.
 */
public sealed interface Schedule {

  /** The learning rate of step {@code step}, counted from 0. */
  double at(long step);

  /**
   * {@code peak} after warm-up.
   *
   * @param peak highest learning rate
   * @param warmup steps of warm-up
   */
  record Constant(double peak, long warmup) implements Schedule {
    /** Checks the values. */
    public Constant {
      check(peak, warmup);
    }

    @Override
    public double at(long step) {
      return peak * warm(step, warmup);
    }
  }

  /**
   * Falls linearly from {@code peak} to 0 at step {@code total}.
   *
   * @param peak highest learning rate
   * @param warmup steps of warm-up
   * @param total steps of the run
   */
  record Linear(double peak, long warmup, long total) implements Schedule {
    /** Checks the values. */
    public Linear {
      check(peak, warmup);
    }

    @Override
    public double at(long step) {
      return step < warmup ? peak * warm(step, warmup) : peak * (1 - decayed(step, warmup, total));
    }
  }

  /**
   * Half a cosine from {@code peak} to {@code minRatio * peak} at step {@code total}
   * (arXiv:1608.03983, one cycle).
   *
   * @param peak highest learning rate
   * @param warmup steps of warm-up
   * @param total steps of the run
   * @param minRatio share of {@code peak} that remains at the end, in [0, 1]
   */
  record Cosine(double peak, long warmup, long total, double minRatio) implements Schedule {
    /** Checks the values. */
    public Cosine {
      check(peak, warmup);
      if (!(minRatio >= 0 && minRatio <= 1)) {
        throw new IllegalArgumentException("minimum ratio %s is not in [0, 1]".formatted(minRatio));
      }
    }

    @Override
    public double at(long step) {
      if (step < warmup) {
        return peak * warm(step, warmup);
      }
      double cosine = 0.5 * (1 + Math.cos(Math.PI * decayed(step, warmup, total)));
      return peak * (minRatio + (1 - minRatio) * cosine);
    }
  }

  /**
   * Steps of warm-up as a share of the run, rounded up; all but the last at most, so that a run of
   * one step has a rate above 0.
   */
  static long warmupSteps(double ratio, long total) {
    if (!(ratio >= 0 && ratio <= 1)) {
      throw new IllegalArgumentException("warm-up ratio %s is not in [0, 1]".formatted(ratio));
    }
    return Math.min((long) Math.ceil(ratio * total), total - 1);
  }

  private static double warm(long step, long warmup) {
    return step < warmup ? (double) step / warmup : 1;
  }

  private static double decayed(long step, long warmup, long total) {
    return Math.min(1, (double) (step - warmup) / Math.max(1, total - warmup));
  }

  private static void check(double peak, long warmup) {
    if (!(peak > 0 && Double.isFinite(peak))) {
      throw new IllegalArgumentException(
          "learning rate %s is not a positive number".formatted(peak));
    }
    if (warmup < 0) {
      throw new IllegalArgumentException("%d steps of warm-up".formatted(warmup));
    }
  }
}
