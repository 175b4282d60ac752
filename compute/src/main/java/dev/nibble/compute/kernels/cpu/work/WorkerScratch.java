package dev.nibble.compute.kernels.cpu.work;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Scratch memory of each worker, allocated once: for a tile of widened weights, or a block of
 * attention scores.
 */
public final class WorkerScratch implements AutoCloseable {
  /** Floats for each worker: 4 MiB, a part of the last cache level. */
  public static final int FLOATS = 1 << 20;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment[] parts;

  /** Allocates scratch for this number of workers. */
  public WorkerScratch(int workers) {
    parts = new MemorySegment[workers];
    for (int i = 0; i < workers; i++) {
      parts[i] = arena.allocate(FLOATS * 4L, 64);
    }
  }

  /** The scratch of a worker. */
  public MemorySegment of(int worker) {
    return parts[worker];
  }

  @Override
  public void close() {
    arena.close();
  }
}
