package dev.nibble.compute.kernels.cuda.products;

import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.Tensor;

/** Brings 4-bit weights to another dtype. */
final class Dequantizer {
  // As in fourbit.cu: threads of a block, and words of 8 codes that a thread has under way.
  private static final int THREADS = 256;
  private static final int WORDS = 4;
  private static final long BLOCKS_PER_MULTIPROCESSOR = 8;

  private final Launch launch;

  Dequantizer(Launch launch) {
    this.launch = launch;
  }

  /**
   * out[r, j] = weight first + r * cols + j of the flattened matrix.
   *
   * @param out F32, BF16 or F16, rows*width elements
   */
  void dequantize(Tensor out, Quantized weight, long first, long rows, long width, long cols) {
    boolean whole = width == cols;
    long height = whole ? 1 : rows;
    long length = whole ? rows * width : width;
    long blocks = Math.ceilDiv(height * Math.ceilDiv(length, 8), (long) THREADS * WORDS);
    launch.kernel("dequantize", out.dtype()).tensor(out);
    weight(launch, weight)
        .i64(first)
        .i64(height)
        .i64(length)
        .i64(cols)
        .i32(weight.block())
        .blocks(
            Math.min(blocks, BLOCKS_PER_MULTIPROCESSOR * launch.device().multiprocessors()),
            THREADS);
  }

  /** Codes, codebook and scales as the arguments of a kernel. */
  static Launch weight(Launch launch, Quantized weight) {
    launch.tensor(weight.codes()).tensor(weight.codebook());
    return switch (weight.scales()) {
      case Quantized.Scales.Plain p -> launch.tensor(p.absmax()).none().none().none().i32(1);
      case Quantized.Scales.Nested d ->
          launch
              .tensor(d.absmax())
              .tensor(d.codes())
              .tensor(d.codebook())
              .tensor(d.offset())
              .i32(d.block());
    };
  }
}
