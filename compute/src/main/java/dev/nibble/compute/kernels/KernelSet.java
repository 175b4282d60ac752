package dev.nibble.compute.kernels;

import java.util.Optional;

/** A kernel set that may or may not run on this machine. */
public interface KernelSet {

  /** As recipes write it: {@code nd4j}, {@code cpu} or {@code cuda}. */
  String name();

  /**
   * Why this set cannot run here, with what to do about it; empty when it can. Cheap: it may ask a
   * driver, but takes no memory of a device.
   */
  Optional<String> unavailableBecause();

  /**
   * What was chosen and why, in a few words for the log: processor or card, native library,
   * threads; after {@link #open} also what depends on its options.
   */
  String describe();

  /**
   * Opens the set.
   *
   * @throws KernelUnavailable when it cannot run here, or cannot do what the options ask
   */
  Kernels open(KernelOptions options);
}
