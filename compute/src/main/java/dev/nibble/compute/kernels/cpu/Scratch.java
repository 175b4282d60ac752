package dev.nibble.compute.kernels.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Memory of each worker's own, taken once: a tile of widened weights, or a block of attention
 * scores.
 */
final class Scratch implements AutoCloseable {
  /** Floats for each worker: 4 MiB, a share of the last cache level. */
  static final int FLOATS = 1 << 20;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment[] parts;

  Scratch(int workers) {
    parts = new MemorySegment[workers];
    for (int i = 0; i < workers; i++) {
      parts[i] = arena.allocate(FLOATS * 4L, 64);
    }
  }

  MemorySegment of(int worker) {
    return parts[worker];
  }

  @Override
  public void close() {
    arena.close();
  }
}
