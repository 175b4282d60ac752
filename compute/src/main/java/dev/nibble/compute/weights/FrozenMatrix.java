package dev.nibble.compute.weights;

import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.function.UnaryOperator;

/**
 * The weight matrix W [O, I] of a linear map that does not train. It has a gradient of its input
 * and none of its own. Kernels multiply {@link TiledMatrix}es; a {@link Rotated} matrix is made of
 * these, and its products are made of theirs.
 *
 * <p>{@link #decode} and {@link #encode} are a form's specification: plain Java over tensors on the
 * host, and not fast.
 */
public sealed interface FrozenMatrix permits TiledMatrix, Rotated {

  /** How {@link #decode} writes a value. */
  ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Output features O. */
  long rows();

  /** Input features I. */
  long cols();

  /** Number of weights, O times I. */
  default long elements() {
    return Math.multiplyExact(rows(), cols());
  }

  /** Bytes of its tensors; tables that several matrices share are not counted. */
  long bytes();

  /**
   * The same matrix over other tensors.
   *
   * @param other gives the tensor to take in a tensor's place, of the same dtype and shape
   */
  FrozenMatrix over(UnaryOperator<Tensor> other);

  /**
   * Writes values of the flattened matrix, row by row, in float32. Its tensors must lie on the
   * host.
   *
   * @param from the first element
   * @param n how many
   * @param to room for n values, see {@link #FLOAT}
   */
  void decode(long from, long n, MemorySegment to);

  /** All values, row by row, as {@link #decode} gives them. */
  default float[] decoded() {
    float[] all = new float[Math.toIntExact(elements())];
    decode(0, all.length, MemorySegment.ofArray(all));
    return all;
  }

  /**
   * Sets all elements to the nearest values that the form can hold, by the rule that it states. Its
   * tensors must lie on the host.
   *
   * @param in F32, BF16 or F16 of O times I finite elements, on the host
   */
  void encode(Tensor in);
}
