package dev.nibble.compute.kernels.cuda.products;

import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.kernels.cuda.work.ProductShape;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Codebook.Scales;

/** Weights in 4-bit codes: encoding, decoding, and the product with few tokens. */
final class FourBitKernels {
  // As in fourbit.cu: threads of a block, and words of 8 codes that a thread has under way.
  private static final int THREADS = 256;
  private static final int WORDS = 4;
  private static final long BLOCKS_PER_MULTIPROCESSOR = 8;
  private static final int FEW_ROWS = 16;
  private static final int FEW_TOKENS = 8;
  // Up to here reading the codes again for each 8 tokens costs less than writing the weights.
  private static final long MOST_TOKENS_AT_ONCE = 2 * FEW_TOKENS;

  private final Launch launch;
  private final TileScratch scratch;

  FourBitKernels(Launch launch, TileScratch scratch) {
    this.launch = launch;
    this.scratch = scratch;
  }

  /** Whether codes are of 4 bits and blocks of whole bytes. */
  static boolean fits(Codebook weight) {
    return weight.bits() == 4 && weight.block() % 2 == 0;
  }

  /** Encodes a matrix that {@link #fits}. */
  void encode(Codebook out, Tensor in) {
    switch (out.scales()) {
      case Scales.Plain p -> encode(out, p.absmax(), in);
      case Scales.Nested d -> {
        long blocks = out.blocks();
        Tensor scales = scratch.of(DType.F32, blocks);
        encode(out, scales, in);
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
            .blocks(Math.ceilDiv(blocks, d.block()), THREADS);
      }
    }
  }

  private void encode(Codebook out, Tensor absmax, Tensor in) {
    launch
        .kernel("quantize", in.dtype())
        .tensor(out.codes())
        .tensor(absmax)
        .tensor(in)
        .i64(in.elements())
        .i32(out.block())
        .tensor(out.codebook())
        .each(32 * out.blocks());
  }

  /** See {@link FrozenTiles#read}. */
  void decode(Tensor out, Codebook weight, long first, long rows, long width) {
    boolean whole = width == weight.cols();
    long height = whole ? 1 : rows;
    long length = whole ? rows * width : width;
    long blocks = Math.ceilDiv(height * Math.ceilDiv(length, 8), (long) THREADS * WORDS);
    launch.kernel("dequantize", out.dtype()).tensor(out);
    arguments(weight)
        .i64(first)
        .i64(height)
        .i64(length)
        .i64(weight.cols())
        .i32(weight.block())
        .moves(FrozenTiles.moved(out, weight, rows, width))
        .blocks(
            Math.min(blocks, BLOCKS_PER_MULTIPROCESSOR * launch.device().multiprocessors()),
            THREADS);
  }

  /** Codes, codebook and scales as the arguments of a kernel. */
  private Launch arguments(Codebook weight) {
    launch.tensor(weight.codes()).tensor(weight.codebook());
    return switch (weight.scales()) {
      case Scales.Plain p -> launch.tensor(p.absmax()).none().none().none().i32(1);
      case Scales.Nested d ->
          launch
              .tensor(d.absmax())
              .tensor(d.codes())
              .tensor(d.codebook())
              .tensor(d.offset())
              .i32(d.block());
    };
  }

  /**
   * Whether {@link #forward} takes these: few tokens in bfloat16. It reads 32 codes, and 8 inputs,
   * at once.
   */
  boolean takesFew(Tensor out, Tensor x, Codebook weight) {
    long n = weight.cols() == 0 ? 0 : x.elements() / weight.cols();
    return n <= MOST_TOKENS_AT_ONCE
        && weight.bits() == 4
        && x.dtype() == DType.BF16
        && out.dtype() == DType.BF16
        && n * weight.cols() == x.elements()
        && n * weight.rows() == out.elements()
        && weight.cols() % 32 == 0
        && weight.block() % 32 == 0
        && x.address() % 16 == 0
        && weight.codes().address() % 16 == 0;
  }

  /**
   * out = x weight^T, from codes and without a decoded weight in memory; what {@link #takesFew}.
   */
  void forward(Tensor out, Tensor x, Codebook weight) {
    long n = x.elements() / weight.cols();
    for (long token = 0; token < n; token += FEW_TOKENS) {
      long count = Math.min(FEW_TOKENS, n - token);
      launch
          .kernel("few_tokens_bf16")
          .tensor(out.part(token * weight.rows(), count, weight.rows()))
          .tensor(x.part(token * weight.cols(), count, weight.cols()))
          .i32(count);
      arguments(weight)
          .i32(weight.rows())
          .i32(weight.cols())
          .i32(weight.block())
          .multiplies(new ProductShape(count, weight.rows(), weight.cols(), false))
          .blocks(Math.ceilDiv(weight.rows(), FEW_ROWS), THREADS);
    }
  }
}
