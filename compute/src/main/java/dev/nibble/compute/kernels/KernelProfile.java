package dev.nibble.compute.kernels;

/**
 * A measurement of what each kernel of a set takes, for sets that are opened with {@link
 * KernelOptions.Debug#PROFILE}. While it is off it costs nothing. Used by the set's caller.
 */
public interface KernelProfile {

  /** Waits for the work so far, and measures from here on. */
  void start();

  /** Waits for the work so far, and ends the measurement. */
  KernelTimes stop();
}
