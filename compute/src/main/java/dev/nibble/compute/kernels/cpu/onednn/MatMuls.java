package dev.nibble.compute.kernels.cpu.onednn;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * Matrix products of bfloat16 by a fixed number of workers, one product at a time by each. A shape
 * is compiled when it is first asked for and kept until this closes.
 */
public final class MatMuls implements AutoCloseable {
  private final OneDnn library;
  private final Primitives primitives;
  private final long engine;
  private final long[] streams;
  private final Map<MatMul.Shape, MatMul> compiled = new HashMap<>();
  private final Arena arena = Arena.ofShared();
  private MemorySegment[] scratchpads;
  private long scratchpadBytes;

  /** For so many workers. */
  public MatMuls(OneDnn library, int workers) {
    this.library = library;
    primitives = new Primitives(library);
    engine = primitives.engine();
    streams = new long[workers];
    for (int i = 0; i < workers; i++) {
      streams[i] = primitives.stream(engine);
    }
    scratchpads = new MemorySegment[workers];
    reserveScratchpads(1 << 17);
  }

  /** The product of this shape; one that is new is not asked for while workers run. */
  public MatMul of(MatMul.Shape shape) {
    MatMul known = compiled.get(shape);
    if (known == null) {
      known = new MatMul(this, shape);
      compiled.put(shape, known);
    }
    return known;
  }

  Primitives primitives() {
    return primitives;
  }

  long engine() {
    return engine;
  }

  int workers() {
    return streams.length;
  }

  long stream(int worker) {
    return streams[worker];
  }

  /** Keeps the library's own threads out of the calling thread's work. */
  void onOneThread() {
    library.onOneThread();
  }

  /** Scratch memory of a worker. */
  long scratchpad(int worker) {
    return scratchpads[worker].address();
  }

  /** Makes each worker's scratch memory at least that large. Not while workers run. */
  void reserveScratchpads(long bytes) {
    if (bytes > scratchpadBytes) {
      scratchpadBytes = Long.highestOneBit(2 * bytes - 1);
      for (int i = 0; i < scratchpads.length; i++) {
        scratchpads[i] = arena.allocate(scratchpadBytes, 4096);
      }
    }
  }

  @Override
  public void close() {
    compiled.values().forEach(MatMul::close);
    compiled.clear();
    for (long stream : streams) {
      primitives.destroyStream(stream);
    }
    primitives.destroyEngine(engine);
    arena.close();
  }
}
