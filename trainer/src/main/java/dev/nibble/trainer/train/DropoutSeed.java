package dev.nibble.trainer.train;

import dev.nibble.compute.kernels.Dropout;

/**
 * The seed of a forward pass: a pure function of its place in the run, so that a resumed run draws
 * the same masks.
 */
final class DropoutSeed {
  private DropoutSeed() {}

  static long of(long runSeed, long step, int microBatch) {
    return Dropout.hash(Dropout.hash(Dropout.hash(runSeed) + step) + microBatch);
  }
}
