package dev.nibble.compute.kernels;

import java.util.Optional;

/** A kernel set that may or may not run on this machine. */
public interface KernelSet {

  /** As recipes write it: {@code nd4j}, {@code cpu} or {@code cuda}. */
  String name();

  /**
   * Why this set cannot run here, with what to do about it; empty when it can. Cheap, and loads no
   * native code.
   */
  Optional<String> unavailableBecause();

  /**
   * What was chosen and why, in a few words for the log: processor features, native library,
   * threads.
   */
  String describe();

  /**
   * Opens the set.
   *
   * @param threads number of threads; 0 means one for each core
   * @throws KernelUnavailable when it cannot run here
   */
  Kernels open(int threads);
}
