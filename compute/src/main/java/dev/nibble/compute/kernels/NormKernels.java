package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.Tensor;

/**
 * RMSNorm, LayerNorm, rotary position embedding, and the row norms of DoRA. See {@link Kernels} for
 * conventions.
 */
public interface NormKernels {

  /**
   * RMSNorm (arXiv:1910.07467): rstd[n] = 1/sqrt(mean_c x[n,c]^2 + eps); out[n,c] = x[n,c] *
   * rstd[n] * (offset + weight[c]).
   *
   * @param out [N, C]
   * @param rstd [N], kept for backward
   * @param x [N, C]
   * @param weight F32 [C]
   * @param offset 0, or 1 for families that store weight - 1
   */
  void rmsNormForward(Tensor out, Tensor rstd, Tensor x, Tensor weight, double offset, double eps);

  /**
   * With g = dout*(offset + weight) and h = x*rstd: dx[n] += rstd[n] * (g[n] - h[n] * mean_c(g[n,c]
   * h[n,c])).
   *
   * @param dx [N, C]
   */
  void rmsNormBackward(Tensor dx, Tensor dout, Tensor x, Tensor rstd, Tensor weight, double offset);

  /** dweight[c] += sum_n dout[n,c] x[n,c] rstd[n]. */
  void rmsNormBackwardWeight(Tensor dweight, Tensor dout, Tensor x, Tensor rstd);

  /**
   * LayerNorm (arXiv:1607.06450): with mean[n] and the variance var[n] of row n, rstd[n] =
   * 1/sqrt(var[n] + eps); out[n,c] = (x[n,c] - mean[n]) * rstd[n] * weight[c] + bias[c]. The
   * gradient of the bias is {@link ProductKernels#biasBackward}.
   *
   * @param out [N, C]
   * @param mean [N], kept for backward
   * @param rstd [N], kept for backward
   * @param x [N, C]
   * @param weight F32 [C]
   * @param bias F32 [C]
   */
  void layerNormForward(
      Tensor out, Tensor mean, Tensor rstd, Tensor x, Tensor weight, Tensor bias, double eps);

  /**
   * With g = dout*weight and h = (x - mean)*rstd: dx[n] += rstd[n] * (g[n] - mean_c(g[n,c]) - h[n]
   * * mean_c(g[n,c] h[n,c])).
   *
   * @param dx [N, C]
   */
  void layerNormBackward(Tensor dx, Tensor dout, Tensor x, Tensor mean, Tensor rstd, Tensor weight);

  /** dweight[c] += sum_n dout[n,c] (x[n,c] - mean[n]) rstd[n]. */
  void layerNormBackwardWeight(Tensor dweight, Tensor dout, Tensor x, Tensor mean, Tensor rstd);

  /**
   * Rotary position embedding (arXiv:2104.09864) in the half-split layout, in place. With R =
   * cos.cols(), each pair (j, j+R), j &lt; R, of a head is rotated by the angle of the token's
   * position: x_j' = x_j cos_j - x_{j+R} sin_j; x_{j+R}' = x_{j+R} cos_j + x_j sin_j. Elements from
   * 2R on are unchanged.
   *
   * @param x [N, H, D] with 2R &lt;= D
   * @param cos [P, R] by position
   * @param sin [P, R] by position
   * @param positions I32 [N], each in [0, P)
   */
  void ropeForward(Tensor x, Tensor cos, Tensor sin, Tensor positions);

  /** The inverse rotation, in place on the gradient; it does not accumulate. */
  void ropeBackward(Tensor dx, Tensor cos, Tensor sin, Tensor positions);

  /**
   * Reciprocal L2 norms of the rows of W + s B A (DoRA, arXiv:2402.09353), computed from products
   * no larger than B: out[o] = 1 / sqrt(squares[o] + sum_k b[o, k] (2 s p[k, o] + s^2 q[o, k])).
   *
   * @param out [O]
   * @param squares F32 [O]: squared norms of W's rows
   * @param b B [O, r]
   * @param p A W^T [r, O]
   * @param q B A A^T [O, r]
   * @param scale s
   */
  void inverseRowNorms(Tensor out, Tensor squares, Tensor b, Tensor p, Tensor q, double scale);
}
