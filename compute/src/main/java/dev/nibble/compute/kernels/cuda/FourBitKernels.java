package dev.nibble.compute.kernels.cuda;

import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;

/** 4-bit weights: quantising, dequantising, and products with them. */
final class FourBitKernels {
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

  FourBitKernels(Launch launch, Dequantizer dequantizer, WeightProducts products) {
    this.launch = launch;
    this.dequantizer = dequantizer;
    this.products = products;
  }

  void quantize(Quantized out, Tensor in) {
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

  void dequantize(Tensor out, Quantized in) {
    if (out.elements() != in.elements()) {
      throw new IllegalArgumentException(
          "dequantize: %s has not the %d elements of %s".formatted(out, in.elements(), in.codes()));
    }
    dequantizer.dequantize(out, in, 0, in.rows(), in.cols(), in.cols());
  }

  void quantizedLinearForward(Tensor out, Tensor x, Quantized weight) {
    long n = weight.cols() == 0 ? 0 : x.elements() / weight.cols();
    if (n <= MOST_TOKENS_AT_ONCE && isForFewTokens(out, x, weight, n)) {
      for (long token = 0; token < n; token += FEW_TOKENS) {
        few(out, x, weight, token, Math.min(FEW_TOKENS, n - token));
      }
    } else {
      products.forward(out, x, weight);
    }
  }

  void quantizedLinearBackward(Tensor dx, Tensor dout, Quantized weight) {
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
