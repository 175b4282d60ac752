package dev.nibble.compute.kernels.cpu.work;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * A worker's scratch memory as a stack, and float32 access to tensors through it. Elements of an
 * F32 tensor are used in place. Those of a 16-bit tensor are widened into scratch and results are
 * narrowed back, while both are in the worker's cache.
 */
public final class WorkerArena {
  /** Floats between allocations, so that equal offsets in them do not map to the same cache set. */
  private static final long GAP = 32;

  private static final long ALIGNMENT = 16;

  private final int worker;
  private final MemorySegment scratch;
  private long used;

  /** An arena over the scratch of {@code worker}. */
  public WorkerArena(int worker, MemorySegment scratch) {
    this.worker = worker;
    this.scratch = scratch;
  }

  /** The number of the worker. */
  public int worker() {
    return worker;
  }

  /**
   * Elements {@code from} and on. For a 16-bit tensor a copy, which {@link #store} may put back.
   */
  public MemorySegment read(Tensor t, long from, long n) {
    MemorySegment m = write(t, from, n);
    if (t.dtype() != DType.F32) {
      Conversion.widen(t, from, m, 0, n);
    }
    return m;
  }

  /**
   * Memory to compute elements {@code from} and on in, for {@link #store}; its values are
   * undefined.
   */
  public MemorySegment write(Tensor t, long from, long n) {
    return t.dtype() == DType.F32 ? t.memory().asSlice(4 * from, 4 * n) : allocate(n);
  }

  /** Stores results in elements {@code from} and on, rounded to their dtype. */
  public void store(MemorySegment m, Tensor t, long from) {
    boolean there = t.dtype() == DType.F32 && m.address() == t.memory().address() + 4 * from;
    if (!there) {
      Conversion.narrow(m, 0, t, from, m.byteSize() / 4);
    }
  }

  /** Memory for {@code n} floats of any value, until {@link #release}. */
  public MemorySegment allocate(long n) {
    MemorySegment m = scratch.asSlice(4 * used, 4 * n);
    used += (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + GAP;
    return m;
  }

  /** The current top of the stack, for {@link #release}. */
  public long mark() {
    return used;
  }

  /** Frees all that was allocated since {@code mark}. */
  public void release(long mark) {
    used = mark;
  }
}
