package dev.nibble.compute.kernels.cpu.attention;

import dev.nibble.compute.kernels.cpu.products.Panels;
import dev.nibble.compute.kernels.cpu.work.Conversion;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.kernels.cpu.work.WorkerArena;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** A view of a tensor as heads, [N, H, D]. */
record HeadsView(Tensor tensor, long heads, long size) {

  static HeadsView of(Tensor t) {
    return new HeadsView(t, t.dim(1), t.dim(2));
  }

  /** The index of the first element of a token's head. */
  long element(long token, long head) {
    return (token * heads + head) * size;
  }

  /** Packs the tensor into panels, as a matrix with a row for each token. */
  Panels panels() {
    return Panels.of(tensor.reshape(tensor.dim(0), heads * size));
  }

  /**
   * An operand of a matrix product: one head of some tokens, in float32.
   *
   * @param stride elements from one token to the next
   */
  record Block(long address, long stride) {
    /** A matrix of rows that lie one after another. */
    static Block of(MemorySegment m, long cols) {
      return new Block(m.address(), cols);
    }
  }

  /** One head of tokens {@code token} and on: in place, or widened into scratch. */
  Block read(WorkerArena f, long token, long head, long tokens) {
    if (tensor.dtype() == DType.F32) {
      return new Block(tensor.memory().address() + 4 * element(token, head), heads * size);
    }
    MemorySegment widened = f.allocate(tokens * size);
    for (long i = 0; i < tokens; i++) {
      Conversion.widen(tensor, element(token + i, head), widened, i * size, size);
    }
    return Block.of(widened, size);
  }

  /** Adds rows of D floats to one head of tokens {@code token} and on. */
  void add(WorkerArena f, long token, long head, long tokens, MemorySegment terms) {
    long mark = f.mark();
    for (long i = 0; i < tokens; i++) {
      f.release(mark);
      MemorySegment sum = f.read(tensor, element(token + i, head), size);
      VectorMath.add(sum, terms.asSlice(4 * i * size, 4 * size), size);
      f.store(sum, tensor, element(token + i, head));
    }
    f.release(mark);
  }
}
