package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Rotation;
import dev.nibble.compute.weights.TiledMatrix;

/**
 * Linear maps with dense and with frozen weights, their biases, and the encoding of frozen weights.
 * See {@link Kernels} for conventions.
 */
public interface ProductKernels {

  /**
   * out = x weight^T.
   *
   * @param out [N, O]
   * @param x [N, I]
   * @param weight F32, BF16 or F16 [O, I]
   */
  void linearForward(Tensor out, Tensor x, Tensor weight);

  /** out += scale * x weight^T: adds a low-rank update to the base output. */
  void linearForwardAdd(Tensor out, Tensor x, Tensor weight, double scale);

  /** dx += scale * dout weight. */
  void linearBackward(Tensor dx, Tensor dout, Tensor weight, double scale);

  /** dweight += scale * dout^T x, F32 [O, I]. A frozen weight has no such call. */
  void linearBackwardWeight(Tensor dweight, Tensor dout, Tensor x, double scale);

  /**
   * out[n] += bias.
   *
   * @param out [N, O]
   * @param bias F32, BF16 or F16 [O]
   */
  void biasForward(Tensor out, Tensor bias);

  /** dbias += sum_n dout[n]. */
  void biasBackward(Tensor dbias, Tensor dout);

  /**
   * Brings values to a matrix's form, to the bit as {@link FrozenMatrix#encode} does.
   *
   * @param in F32, BF16 or F16 of O times I finite elements, widened exactly
   */
  void encode(FrozenMatrix out, Tensor in);

  /**
   * out = the values of {@code in}, to the bit as {@link FrozenMatrix#decode} gives them, rounded
   * once to out's dtype.
   *
   * @param out F32, BF16 or F16, any shape of O times I elements
   */
  void decode(Tensor out, FrozenMatrix in);

  /**
   * out = x weight^T. A weight that is not dense is decoded tile by tile into scratch, never whole
   * where it is large.
   *
   * @param out [N, O]
   * @param x [N, I]
   */
  void frozenForward(Tensor out, Tensor x, TiledMatrix weight);

  /** dx += dout weight. There is no gradient of the weight. */
  void frozenBackward(Tensor dx, Tensor dout, TiledMatrix weight);

  /**
   * Rotates each row: out[n] = V in[n]. Sums are taken in float32, and rounded once to out's dtype.
   *
   * @param out [N, n], which may be {@code in}
   * @param in [N, n], of out's dtype
   * @param rotation V, of n numbers
   */
  void rotate(Tensor out, Tensor in, Rotation rotation);

  /** Undoes {@link #rotate}, which is its own gradient's way: out[n] = V^T in[n]. */
  void rotateBack(Tensor out, Tensor in, Rotation rotation);
}
