package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.Tensor;

/**
 * Linear maps, with dense weights and with frozen 4-bit ones, their biases, and 4-bit quantisation.
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
   * Fills out's codes and scales from in (F32, BF16 or F16, rows*cols finite elements, widened
   * exactly), bit-equal to bitsandbytes' CPU quantiser, all in float32:
   *
   * <ul>
   *   <li>absmax of a block is its largest magnitude, a = max(absmax, 1e-38); v = x * (1/a), or x /
   *       a in a short last block, clamped to [-1, 1].
   *   <li>The codebook need not ascend in code order (FP4's does not). Let s be its 16 values
   *       sorted ascending, of equal values (FP4 has 0 twice, codes 0 and 8) the lower code first,
   *       and m[i] = (s[i] + s[i+1]) * 0.5 the 15 midpoints. x takes the code whose value is s[k],
   *       k = number of i with m[i] &lt; v: the nearest value, the lower one in a tie. So where FP4
   *       rounds to 0, v &lt;= 0 takes code 0 and v &gt; 0 code 8.
   *   <li>An all-zero block has absmax 0 and the code of 0, which also fills the spare half byte of
   *       an odd matrix: 7 in NF4, 0 in FP4.
   *   <li>Nested: offset = the mean of all absmax, summed in PyTorch's order, see {@link
   *       NestedScales#offset}. Each d = absmax - offset; the nested absmax of a block of scales is
   *       its largest |d|; u = d * (1/that), or 0 when that is 0; the code is that of u's {@link
   *       NestedScales#bin}, see {@link NestedScales#codeOfBin}.
   * </ul>
   */
  void quantize(Quantized out, Tensor in);

  /**
   * out[i] = codebook[code[i]] * scale[i / block], rounded once to out's dtype (F32, BF16 or F16).
   *
   * @param out any shape of rows*cols elements
   */
  void dequantize(Tensor out, Quantized in);

  /**
   * out = x weight^T, the weight dequantised tile by tile into scratch, never whole for large
   * matrices.
   *
   * @param out [N, O]
   * @param x [N, I]
   */
  void quantizedLinearForward(Tensor out, Tensor x, Quantized weight);

  /** dx += dout weight. There is no gradient of the weight. */
  void quantizedLinearBackward(Tensor dx, Tensor dout, Quantized weight);
}
