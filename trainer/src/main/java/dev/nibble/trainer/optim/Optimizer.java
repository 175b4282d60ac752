package dev.nibble.trainer.optim;

import dev.nibble.adapters.Parameters;
import dev.nibble.compute.kernels.Kernels;

/**
 * Moves all parameters against their gradients. Weight decay acts on the ranges that have it, and
 * each group has its rate. Close it before the kernels and before the scope of its state.
 */
public abstract sealed class Optimizer implements AutoCloseable
    permits AdamW, AdamW8bit, Lion, Sgd, Adafactor {
  final Kernels kernels;
  private final Parameters parameters;
  private final Rates rates;
  private final double weightDecay;
  private final OptimizerState state;
  private long steps;

  Optimizer(
      Kernels kernels,
      Parameters parameters,
      Rates rates,
      double weightDecay,
      OptimizerState state) {
    this.kernels = kernels;
    this.parameters = parameters;
    this.rates = rates;
    this.weightDecay = weightDecay;
    this.state = state;
  }

  /** What a checkpoint calls it: recipes' name, without where its state lies. */
  public abstract String name();

  /**
   * Moves some weights.
   *
   * @param step number of this update, counted from 1
   * @param learningRate of these weights
   * @param decay of these weights
   */
  abstract void move(Stretch weights, long step, double learningRate, double decay);

  /** Moves the weights against their gradients. */
  public final void update(double learningRate) {
    steps++;
    state.forEach(
        s -> move(s, steps, learningRate * rates.of(s.group()), s.decays() ? weightDecay : 0));
  }

  /** What it trains. */
  public final Parameters parameters() {
    return parameters;
  }

  /** What it remembers. */
  public final OptimizerState state() {
    return state;
  }

  /** Number of updates so far. */
  public final long steps() {
    return steps;
  }

  /** Goes on after {@code done} updates, when the state has been restored. */
  public final void resumeAfter(long done) {
    steps = done;
  }

  /** Gives back what holds pages outside the scope. */
  @Override
  public final void close() {
    state.close();
  }
}
