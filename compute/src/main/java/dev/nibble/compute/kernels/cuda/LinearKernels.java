package dev.nibble.compute.kernels.cuda;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;

/** Linear maps with dense weights, and biases. */
final class LinearKernels {
  private static final int BIAS_THREADS = 128;
  private static final int BIAS_COLUMNS = 8;
  private static final long BIAS_BLOCKS_PER_MULTIPROCESSOR = 16;
  private static final int BIAS_BACKWARD_THREADS = 256;

  private final Launch launch;
  private final WeightProducts products;

  LinearKernels(Launch launch, WeightProducts products) {
    this.launch = launch;
    this.products = products;
  }

  void linearForward(Tensor out, Tensor x, Tensor weight) {
    products.forward(out, x, weight, 1, 0);
  }

  void linearForwardAdd(Tensor out, Tensor x, Tensor weight, double scale) {
    products.forward(out, x, weight, scale, 1);
  }

  void linearBackward(Tensor dx, Tensor dout, Tensor weight, double scale) {
    products.backward(dx, dout, weight, scale);
  }

  void linearBackwardWeight(Tensor dweight, Tensor dout, Tensor x, double scale) {
    requireF32("linearBackwardWeight", dweight);
    products.backwardWeight(dweight, dout, x, scale);
  }

  void biasForward(Tensor out, Tensor bias) {
    long cols = bias.elements();
    long rows = rows("biasForward", out, bias);
    String kernel =
        switch (bias.dtype()) {
          case F32 -> "bias_forward_f32";
          case BF16 -> "bias_forward_bf16";
          case F16 -> "bias_forward_f16";
          default ->
              throw new IllegalArgumentException(
                  "biasForward: expected a bias of F32, BF16 or F16, got " + bias);
        };
    long across = Math.ceilDiv(cols, (long) BIAS_COLUMNS * BIAS_THREADS);
    long blocks = BIAS_BLOCKS_PER_MULTIPROCESSOR * launch.device().multiprocessors();
    launch
        .kernel(kernel, out.dtype())
        .tensor(out)
        .tensor(bias)
        .i64(rows)
        .i64(cols)
        .grid(
            across, Math.min(rows, Math.max(1, blocks / Math.max(1, across))), 1, BIAS_THREADS, 0);
  }

  void biasBackward(Tensor dbias, Tensor dout) {
    requireF32("biasBackward", dbias);
    launch
        .kernel("bias_backward", dout.dtype())
        .tensor(dbias)
        .tensor(dout)
        .i64(rows("biasBackward", dout, dbias))
        .i64(dbias.elements())
        .blocks(Math.ceilDiv(dbias.elements(), 32), BIAS_BACKWARD_THREADS);
  }

  /** The N of x [N, O] with a bias [O]. */
  private static long rows(String operation, Tensor x, Tensor bias) {
    long cols = bias.elements();
    long rows = cols == 0 ? 0 : x.elements() / cols;
    if (rows * cols != x.elements()) {
      throw new IllegalArgumentException(
          "%s: expected [N, %d] with the bias %s, got %s".formatted(operation, cols, bias, x));
    }
    return rows;
  }

  private static void requireF32(String operation, Tensor gradient) {
    if (gradient.dtype() != DType.F32) {
      throw new IllegalArgumentException(operation + ": expected F32, got " + gradient);
    }
  }
}
