package dev.nibble.compute.kernels.cuda.pointwise;

import dev.nibble.compute.kernels.Activation;
import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.kernels.Gelu;
import dev.nibble.compute.kernels.PointwiseKernels;
import dev.nibble.compute.kernels.cuda.work.Arguments;
import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;

/** Element-wise and column-wise operations. */
public final class CudaPointwiseKernels implements PointwiseKernels {
  private static final int THREADS = 256;
  private static final int COLUMNS = 32;
  private static final long BLOCKS_OF_SEGMENT = 64;

  private final Launch launch;

  /** Kernels that launch on the set's stream. */
  public CudaPointwiseKernels(Launch launch) {
    this.launch = launch;
  }

  @Override
  public void add(Tensor out, Tensor a, Tensor b) {
    Arguments.requireAlike("add", out, a, b);
    long n = out.elements();
    launch
        .kernel("add", out.dtype())
        .tensor(out)
        .tensor(a)
        .tensor(b)
        .i64(n)
        .each(Math.ceilDiv(n, 8));
  }

  @Override
  public void scale(Tensor x, double factor) {
    Arguments.requireActivations("scale", x);
    long n = x.elements();
    launch.kernel("scale", x.dtype()).tensor(x).f32(factor).i64(n).each(Math.ceilDiv(n, 8));
  }

  @Override
  public void gatedForward(Tensor out, Tensor gate, Tensor up, Activation a) {
    Arguments.requireAlike("gated", out, gate, up);
    String kernel =
        switch (a) {
          case SILU -> "gated_forward_silu";
          case GELU_TANH -> "gated_forward_gelu";
        };
    long n = out.elements();
    launch
        .kernel(kernel, out.dtype())
        .tensor(out)
        .tensor(gate)
        .tensor(up)
        .i64(n)
        .each(Math.ceilDiv(n, 8));
  }

  @Override
  public void gatedBackward(
      Tensor dgate, Tensor dup, Tensor dout, Tensor gate, Tensor up, Activation a) {
    Arguments.requireAlike("gated", dout, dgate, dup, gate, up);
    String kernel =
        switch (a) {
          case SILU -> "gated_backward_silu";
          case GELU_TANH -> "gated_backward_gelu";
        };
    long n = dout.elements();
    launch
        .kernel(kernel, dout.dtype())
        .tensor(dgate)
        .tensor(dup)
        .tensor(dout)
        .tensor(gate)
        .tensor(up)
        .i64(n)
        .each(Math.ceilDiv(n, 8));
  }

  @Override
  public void geluForward(Tensor out, Tensor x, Gelu form) {
    Arguments.requireAlike("gelu", out, x);
    String kernel =
        switch (form) {
          case EXACT -> "gelu_forward_exact";
          case TANH -> "gelu_forward_tanh";
          case QUICK -> "gelu_forward_quick";
        };
    long n = out.elements();
    launch.kernel(kernel, out.dtype()).tensor(out).tensor(x).i64(n).each(Math.ceilDiv(n, 8));
  }

  @Override
  public void geluBackward(Tensor dx, Tensor dout, Tensor x, Gelu form) {
    Arguments.requireAlike("gelu", dx, dout, x);
    String kernel =
        switch (form) {
          case EXACT -> "gelu_backward_exact";
          case TANH -> "gelu_backward_tanh";
          case QUICK -> "gelu_backward_quick";
        };
    long n = dx.elements();
    launch
        .kernel(kernel, dx.dtype())
        .tensor(dx)
        .tensor(dout)
        .tensor(x)
        .i64(n)
        .each(Math.ceilDiv(n, 8));
  }

  @Override
  public void softCapForward(Tensor x, double cap) {
    Arguments.requireActivations("softCap", x);
    long n = x.elements();
    launch.kernel("soft_cap_forward", x.dtype()).tensor(x).f32(cap).i64(n).each(Math.ceilDiv(n, 8));
  }

  @Override
  public void softCapBackward(Tensor dx, Tensor x, double cap) {
    Arguments.requireAlike("softCap", dx, x);
    long n = x.elements();
    launch
        .kernel("soft_cap_backward", x.dtype())
        .tensor(dx)
        .tensor(x)
        .f32(cap)
        .i64(n)
        .each(Math.ceilDiv(n, 8));
  }

  @Override
  public void dropoutForward(Tensor out, Tensor x, double rate, long seed) {
    dropout("dropout_forward", out, x, rate, seed);
  }

  @Override
  public void dropoutBackward(Tensor dx, Tensor dout, double rate, long seed) {
    dropout("dropout_backward", dx, dout, rate, seed);
  }

  private void dropout(String kernel, Tensor to, Tensor from, double rate, long seed) {
    Arguments.requireAlike("dropout", to, from);
    long n = to.elements();
    launch
        .kernel(kernel, to.dtype())
        .tensor(to)
        .tensor(from)
        .f32(1 - rate)
        .i64(Dropout.threshold(rate))
        .i64(seed)
        .i64(n)
        .each(Math.ceilDiv(n, 8));
  }

  // ---- columns ----

  @Override
  public void scaleColumns(Tensor out, Tensor x, Tensor factors) {
    Arguments.requireAlike("scaleColumns", x, out);
    Arguments.requireType("scaleColumns", DType.F32, factors);
    long cols = factors.elements();
    launch
        .kernel("scale_columns", x.dtype())
        .tensor(out)
        .tensor(x)
        .tensor(factors)
        .i64(cols)
        .blocks(rows("scaleColumns", x, factors), THREADS);
  }

  @Override
  public void columnDots(Tensor out, Tensor a, Tensor b) {
    Arguments.requireAlike("columnDots", a, b);
    Arguments.requireType("columnDots", DType.F32, out);
    launch
        .kernel("column_dots", a.dtype())
        .tensor(out)
        .tensor(a)
        .tensor(b)
        .i64(rows("columnDots", a, out))
        .i64(out.elements())
        .blocks(Math.ceilDiv(out.elements(), COLUMNS), THREADS);
  }

  /** The N of x [N, C], where {@code columns} has C elements. */
  private static long rows(String operation, Tensor x, Tensor columns) {
    long cols = columns.elements();
    long rows = cols == 0 ? 0 : x.elements() / cols;
    Arguments.require(rows * cols == x.elements(), operation, "[N, C] and [C]", x, columns);
    return rows;
  }

  // ---- noise ----

  @Override
  public void addNoise(Tensor x, Tensor segments, double alpha, long seed) {
    Arguments.requireActivations("addNoise", x);
    Arguments.requireType("addNoise", DType.I32, segments);
    Arguments.require(segments.cols() == 4, "addNoise", "segments [S, 4]", segments);
    launch
        .kernel("add_noise", x.dtype())
        .tensor(x)
        .tensor(segments)
        .i64(x.rows())
        .i64(x.cols())
        .f64(alpha)
        .i64(seed)
        .grid(
            Math.min(BLOCKS_OF_SEGMENT, Math.ceilDiv(x.elements(), THREADS)),
            segments.rows(),
            1,
            THREADS,
            0);
  }
}
