package dev.nibble.compute.kernels;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Times of kernels.
 *
 * @param kernels those that ran, what took the most time first
 * @param gaps seconds between kernels, in which none ran
 */
public record KernelTimes(List<KernelTime> kernels, double gaps) {

  /**
   * All calls of one kernel.
   *
   * @param name the kernel, with the shape of a matrix product, in which N stands for tokens
   * @param calls how many
   * @param seconds they took
   * @param bytes of their operands, each counted once a call
   * @param operations floating-point additions and multiplications of matrix products; 0 without
   */
  public record KernelTime(
      String name, long calls, double seconds, double bytes, double operations) {

    /** Part of what the machine could do in this time, by memory or arithmetic, whichever binds. */
    public double share(Roofline peak) {
      return peak.seconds(bytes, operations) / seconds;
    }

    private KernelTime plus(KernelTime other) {
      return new KernelTime(
          name,
          calls + other.calls,
          seconds + other.seconds,
          bytes + other.bytes,
          operations + other.operations);
    }
  }

  /** Copies the list. */
  public KernelTimes {
    kernels = List.copyOf(kernels);
  }

  /** All that was measured, the gaps included. */
  public double seconds() {
    return gaps + kernels.stream().mapToDouble(KernelTime::seconds).sum();
  }

  /** Times that come in one by one. */
  public static final class Sum {
    private final Map<String, KernelTime> kernels = new HashMap<>();
    private double gaps;

    /** Time that kernels took. */
    public void add(KernelTime time) {
      kernels.merge(time.name, time, KernelTime::plus);
    }

    /** Time in which no kernel ran. */
    public void addGap(double seconds) {
      gaps += seconds;
    }

    /** All times of another measurement. */
    public void add(KernelTimes times) {
      times.kernels.forEach(this::add);
      addGap(times.gaps);
    }

    /** What came in since the last time. */
    public KernelTimes take() {
      List<KernelTime> sorted = new ArrayList<>(kernels.values());
      sorted.sort(Comparator.comparingDouble(KernelTime::seconds).reversed());
      KernelTimes times = new KernelTimes(sorted, gaps);
      kernels.clear();
      gaps = 0;
      return times;
    }
  }
}
