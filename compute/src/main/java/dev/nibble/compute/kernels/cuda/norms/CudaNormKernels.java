package dev.nibble.compute.kernels.cuda.norms;

import dev.nibble.compute.kernels.NormKernels;
import dev.nibble.compute.kernels.cuda.work.Arguments;
import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;

/** RMSNorm, LayerNorm and rotary position embedding, and DoRA's row norms. */
public final class CudaNormKernels implements NormKernels {
  private static final int THREADS = 256;
  private static final int WARPS = THREADS / 32;
  private static final int COLUMNS = 32;

  // A warp has a row of so many columns in a few loads; longer rows take a block.
  private static final long MOST_COLUMNS_OF_WARP = 1024;

  private final Launch launch;

  /** Kernels that launch on the set's stream. */
  public CudaNormKernels(Launch launch) {
    this.launch = launch;
  }

  @Override
  public void rmsNormForward(
      Tensor out, Tensor rstd, Tensor x, Tensor weight, double offset, double eps) {
    Arguments.requireAlike("rmsNorm", x, out);
    requireNorm(x, rstd, weight);
    boolean ofWarp = x.cols() <= MOST_COLUMNS_OF_WARP;
    launch
        .kernel(ofWarp ? "rms_norm_forward_warp" : "rms_norm_forward_block", x.dtype())
        .tensor(out)
        .tensor(rstd)
        .tensor(x)
        .tensor(weight)
        .i64(x.rows())
        .i64(x.cols())
        .f32(offset)
        .f32(eps)
        .blocks(ofWarp ? Math.ceilDiv(x.rows(), WARPS) : x.rows(), THREADS);
  }

  @Override
  public void rmsNormBackward(
      Tensor dx, Tensor dout, Tensor x, Tensor rstd, Tensor weight, double offset) {
    Arguments.requireAlike("rmsNorm", x, dx, dout);
    requireNorm(x, rstd, weight);
    boolean ofWarp = x.cols() <= MOST_COLUMNS_OF_WARP;
    launch
        .kernel(ofWarp ? "rms_norm_backward_warp" : "rms_norm_backward_block", x.dtype())
        .tensor(dx)
        .tensor(dout)
        .tensor(x)
        .tensor(rstd)
        .tensor(weight)
        .i64(x.rows())
        .i64(x.cols())
        .f32(offset)
        .blocks(ofWarp ? Math.ceilDiv(x.rows(), WARPS) : x.rows(), THREADS);
  }

  @Override
  public void rmsNormBackwardWeight(Tensor dweight, Tensor dout, Tensor x, Tensor rstd) {
    Arguments.requireAlike("rmsNorm", x, dout);
    requireNorm(x, rstd, dweight);
    launch
        .kernel("rms_norm_backward_weight", x.dtype())
        .tensor(dweight)
        .tensor(dout)
        .tensor(x)
        .tensor(rstd)
        .i64(x.rows())
        .i64(x.cols())
        .blocks(Math.ceilDiv(x.cols(), COLUMNS), THREADS);
  }

  private static void requireNorm(Tensor x, Tensor rstd, Tensor weight) {
    Arguments.requireType("rmsNorm", DType.F32, rstd, weight);
    Arguments.require(
        rstd.elements() == x.rows() && weight.elements() == x.cols(),
        "rmsNorm",
        "x [N, C], rstd [N] and weight [C]",
        x,
        rstd,
        weight);
  }

  @Override
  public void layerNormForward(
      Tensor out, Tensor mean, Tensor rstd, Tensor x, Tensor weight, Tensor bias, double eps) {
    Arguments.requireAlike("layerNorm", x, out);
    requireLayerNorm(x, mean, rstd, weight);
    requireLayerNorm(x, mean, rstd, bias);
    launch
        .kernel("layer_norm_forward", x.dtype())
        .tensor(out)
        .tensor(mean)
        .tensor(rstd)
        .tensor(x)
        .tensor(weight)
        .tensor(bias)
        .i64(x.cols())
        .f32(eps)
        .blocks(x.rows(), THREADS);
  }

  @Override
  public void layerNormBackward(
      Tensor dx, Tensor dout, Tensor x, Tensor mean, Tensor rstd, Tensor weight) {
    Arguments.requireAlike("layerNorm", x, dx, dout);
    requireLayerNorm(x, mean, rstd, weight);
    launch
        .kernel("layer_norm_backward", x.dtype())
        .tensor(dx)
        .tensor(dout)
        .tensor(x)
        .tensor(mean)
        .tensor(rstd)
        .tensor(weight)
        .i64(x.cols())
        .blocks(x.rows(), THREADS);
  }

  @Override
  public void layerNormBackwardWeight(
      Tensor dweight, Tensor dout, Tensor x, Tensor mean, Tensor rstd) {
    Arguments.requireAlike("layerNorm", x, dout);
    requireLayerNorm(x, mean, rstd, dweight);
    launch
        .kernel("layer_norm_backward_weight", x.dtype())
        .tensor(dweight)
        .tensor(dout)
        .tensor(x)
        .tensor(mean)
        .tensor(rstd)
        .i64(x.rows())
        .i64(x.cols())
        .blocks(Math.ceilDiv(x.cols(), COLUMNS), THREADS);
  }

  private static void requireLayerNorm(Tensor x, Tensor mean, Tensor rstd, Tensor columns) {
    Arguments.requireType("layerNorm", DType.F32, mean, rstd, columns);
    Arguments.require(
        mean.elements() == x.rows()
            && rstd.elements() == x.rows()
            && columns.elements() == x.cols(),
        "layerNorm",
        "x [N, C], mean and rstd [N], weight and bias [C]",
        x,
        mean,
        rstd,
        columns);
  }

  @Override
  public void inverseRowNorms(
      Tensor out, Tensor squares, Tensor b, Tensor p, Tensor q, double scale) {
    Arguments.requireType("inverseRowNorms", DType.F32, out, squares, b, p, q);
    long outputs = out.elements();
    long rank = b.cols();
    Arguments.require(
        squares.elements() == outputs
            && b.rows() == outputs
            && p.elements() == rank * outputs
            && q.elements() == rank * outputs,
        "inverseRowNorms",
        "out and squares [O], b and q [O, r], p [r, O]",
        out,
        squares,
        b,
        p,
        q);
    launch
        .kernel("inverse_row_norms")
        .tensor(out)
        .tensor(squares)
        .tensor(b)
        .tensor(p)
        .tensor(q)
        .i64(outputs)
        .i64(rank)
        .f64(scale)
        .each(outputs);
  }

  @Override
  public void ropeForward(Tensor x, Tensor cos, Tensor sin, Tensor positions) {
    rotate(x, cos, sin, positions, 1);
  }

  @Override
  public void ropeBackward(Tensor dx, Tensor cos, Tensor sin, Tensor positions) {
    rotate(dx, cos, sin, positions, -1);
  }

  private void rotate(Tensor x, Tensor cos, Tensor sin, Tensor positions, int sign) {
    Arguments.requireActivations("rope", x);
    Arguments.requireType("rope", DType.F32, cos, sin);
    Arguments.requireType("rope", DType.I32, positions);
    long tokens = positions.elements();
    Arguments.require(
        x.shape().rank() == 3
            && x.dim(0) == tokens
            && 2 * cos.cols() <= x.cols()
            && cos.shape().equals(sin.shape()),
        "rope",
        "x [N, H, D], cos and sin [P, R] with 2R <= D, and positions [N]",
        x,
        cos,
        sin,
        positions);
    launch
        .kernel("rope", x.dtype())
        .tensor(x)
        .tensor(cos)
        .tensor(sin)
        .tensor(positions)
        .i32(x.dim(1))
        .i32(x.cols())
        .i32(cos.cols())
        .i64(cos.rows())
        .f32(sign)
        .blocks(tokens, THREADS);
  }
}
