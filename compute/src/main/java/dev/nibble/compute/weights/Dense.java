package dev.nibble.compute.weights;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.function.UnaryOperator;

/**
 * A frozen matrix as it is, one number an element. Decoding widens exactly; encoding rounds to the
 * nearest value of the dtype, to even in a tie.
 *
 * @param weight F32, BF16 or F16 [O, I]
 */
public record Dense(Tensor weight) implements TiledMatrix {

  /** Checks the dtype. */
  public Dense {
    DType dtype = weight.dtype();
    if (dtype != DType.F32 && dtype != DType.BF16 && dtype != DType.F16) {
      throw new IllegalArgumentException(weight + ": expected F32, BF16 or F16");
    }
  }

  @Override
  public long rows() {
    return weight.rows();
  }

  @Override
  public long cols() {
    return weight.cols();
  }

  @Override
  public long bytes() {
    return weight.bytes();
  }

  @Override
  public Dense over(UnaryOperator<Tensor> other) {
    return new Dense(other.apply(weight));
  }

  @Override
  public void decode(long from, long n, MemorySegment to) {
    for (long i = 0; i < n; i++) {
      to.set(FLOAT, i * Float.BYTES, weight.getFloat(from + i));
    }
  }

  @Override
  public void encode(Tensor in) {
    for (long i = 0; i < weight.elements(); i++) {
      weight.setFloat(i, in.getFloat(i));
    }
  }

  /** As the tensor: {@code q_proj.weight BF16[64, 64] on host}. */
  @Override
  public String toString() {
    return weight.toString();
  }
}
