package dev.nibble.compute.kernels.cuda.products;

import dev.nibble.compute.kernels.ProductKernels;
import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/** Linear maps with dense and with frozen 4-bit weights, their biases, and 4-bit quantisation. */
public final class CudaProductKernels implements ProductKernels {
  private static final int BIAS_THREADS = 128;
  private static final int BIAS_COLUMNS = 8;
  private static final long BIAS_BLOCKS_PER_MULTIPROCESSOR = 16;
  private static final int BIAS_BACKWARD_THREADS = 256;

  // As in fourbit.cu.
  private static final int QUANTIZE_THREADS = 256;
  private static final int FEW_THREADS = 256;
  private static final int FEW_ROWS = 16;
  private static final int FEW_TOKENS = 8;
  // Up to here reading the codes again for each 8 tokens costs less than writing the weights.
  private static final long MOST_TOKENS_AT_ONCE = 2 * FEW_TOKENS;

  private final Launch launch;
  private final Dequantizer dequantizer;
  private final WeightProducts products;

  /**
   * Kernels that launch on the set's stream.
   *
   * @param products who multiplies
   * @param tileBytes scratch for weights that are brought to another dtype
   */
  public CudaProductKernels(Launch launch, Products products, Scope scratch, long tileBytes) {
    this.launch = launch;
    dequantizer = new Dequantizer(launch);
    this.products = new WeightProducts(launch, products, dequantizer, scratch, tileBytes);
  }

  @Override
  public void linearForward(Tensor out, Tensor x, Tensor weight) {
    products.forward(out, x, weight, 1, 0);
  }

  @Override
  public void linearForwardAdd(Tensor out, Tensor x, Tensor weight, double scale) {
    products.forward(out, x, weight, scale, 1);
  }

  @Override
  public void linearBackward(Tensor dx, Tensor dout, Tensor weight, double scale) {
    products.backward(dx, dout, weight, scale);
  }

  @Override
  public void linearBackwardWeight(Tensor dweight, Tensor dout, Tensor x, double scale) {
    requireF32("linearBackwardWeight", dweight);
    products.backwardWeight(dweight, dout, x, scale);
  }

  @Override
  public void biasForward(Tensor out, Tensor bias) {
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

  @Override
  public void biasBackward(Tensor dbias, Tensor dout) {
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

  // ---- frozen 4-bit weights ----

  @Override
  public void quantize(Quantized out, Tensor in) {
    if (out.block() % 2 != 0) {
      throw new IllegalArgumentException(
          "cannot quantise in blocks of %d elements: expected an even number"
              .formatted(out.block()));
    }
    boolean floats = in.dtype() == DType.F32 || in.dtype() == DType.BF16 || in.dtype() == DType.F16;
    if (in.elements() != out.elements() || !floats) {
      throw new IllegalArgumentException(
          "%s: expected F32, BF16 or F16 with %d elements".formatted(in, out.elements()));
    }
    long blocks = Math.ceilDiv(out.elements(), out.block());
    switch (out.scales()) {
      case Quantized.Scales.Plain p -> quantize(out, p.absmax(), in, blocks);
      case Quantized.Scales.Nested d -> {
        Tensor scales = products.scratch(DType.F32, blocks);
        quantize(out, scales, in, blocks);
        launch.kernel("scales_offset").tensor(d.offset()).tensor(scales).i32(blocks).blocks(1, 32);
        launch
            .kernel("quantize_scales")
            .tensor(d.codes())
            .tensor(d.absmax())
            .tensor(scales)
            .tensor(d.offset())
            .tensor(d.codebook())
            .i64(blocks)
            .i32(d.block())
            .blocks(Math.ceilDiv(blocks, d.block()), QUANTIZE_THREADS);
      }
    }
  }

  private void quantize(Quantized out, Tensor absmax, Tensor in, long blocks) {
    launch
        .kernel("quantize", in.dtype())
        .tensor(out.codes())
        .tensor(absmax)
        .tensor(in)
        .i64(in.elements())
        .i32(out.block())
        .tensor(out.codebook())
        .each(32 * blocks);
  }

  @Override
  public void dequantize(Tensor out, Quantized in) {
    if (out.elements() != in.elements()) {
      throw new IllegalArgumentException(
          "dequantize: %s has not the %d elements of %s".formatted(out, in.elements(), in.codes()));
    }
    dequantizer.dequantize(out, in, 0, in.rows(), in.cols(), in.cols());
  }

  @Override
  public void quantizedLinearForward(Tensor out, Tensor x, Quantized weight) {
    long n = weight.cols() == 0 ? 0 : x.elements() / weight.cols();
    if (n <= MOST_TOKENS_AT_ONCE && isForFewTokens(out, x, weight, n)) {
      for (long token = 0; token < n; token += FEW_TOKENS) {
        few(out, x, weight, token, Math.min(FEW_TOKENS, n - token));
      }
    } else {
      products.forward(out, x, weight);
    }
  }

  @Override
  public void quantizedLinearBackward(Tensor dx, Tensor dout, Quantized weight) {
    products.backward(dx, dout, weight);
  }

  /** Whether few_tokens takes these: it reads 32 codes, and 8 inputs, at once. */
  private static boolean isForFewTokens(Tensor out, Tensor x, Quantized weight, long n) {
    return x.dtype() == DType.BF16
        && out.dtype() == DType.BF16
        && n * weight.cols() == x.elements()
        && n * weight.rows() == out.elements()
        && weight.cols() % 32 == 0
        && weight.block() % 32 == 0
        && x.address() % 16 == 0
        && weight.codes().address() % 16 == 0;
  }

  private void few(Tensor out, Tensor x, Quantized weight, long token, long count) {
    launch
        .kernel("few_tokens_bf16")
        .tensor(out.part(token * weight.rows(), count, weight.rows()))
        .tensor(x.part(token * weight.cols(), count, weight.cols()))
        .i32(count);
    Dequantizer.weight(launch, weight)
        .i32(weight.rows())
        .i32(weight.cols())
        .i32(weight.block())
        .blocks(Math.ceilDiv(weight.rows(), FEW_ROWS), FEW_THREADS);
  }
}
