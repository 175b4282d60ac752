package dev.nibble.compute.kernels.cuda.attention;

import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;

/**
 * A variant of the attention kernels, for heads up to a size, and the launch configuration that it
 * needs.
 */
enum AttentionVariant {
  TENSOR_64(64, 64, true),
  TENSOR_128(128, 32, true),
  PLAIN_64(64, 32, false),
  PLAIN_128(128, 32, false),
  PLAIN_256(256, 16, false);

  /** Elements of the largest head. */
  static final long MOST_SIZE = 256;

  private static final int TENSOR_ROWS = 64;

  private final int size;
  private final int step;
  private final boolean tensorCores;

  final String forward;
  final String backwardQueries;
  final String backwardKeys;

  /**
   * Describes a variant.
   *
   * @param size of the largest head
   * @param step rows that a block looks at together: with tensor cores in backward, else in all
   */
  AttentionVariant(int size, int step, boolean tensorCores) {
    this.size = size;
    this.step = step;
    this.tensorCores = tensorCores;
    String name = tensorCores ? "attention_tensor_" : "attention_";
    forward = name + "forward_" + size;
    backwardQueries = name + "backward_queries_" + size;
    backwardKeys = name + "backward_keys_" + size;
  }

  /**
   * On tensor cores where heads are of bfloat16, of a multiple of 8 up to 128 elements, and lie at
   * multiples of 16 bytes; else in float32.
   */
  static AttentionVariant of(Tensor q, Tensor... others) {
    long size = q.dim(2);
    boolean fits = q.dtype() == DType.BF16 && size % 8 == 0 && q.address() % 16 == 0;
    for (Tensor t : others) {
      fits &= t.address() % 16 == 0;
    }
    if (fits && size <= TENSOR_128.size) {
      return size <= TENSOR_64.size ? TENSOR_64 : TENSOR_128;
    }
    return size <= PLAIN_64.size ? PLAIN_64 : size <= PLAIN_128.size ? PLAIN_128 : PLAIN_256;
  }

  /** Begins a launch of one of the kernels. */
  Launch begin(Launch launch, String kernel, DType dtype) {
    return tensorCores ? launch.kernel(kernel) : launch.kernel(kernel, dtype);
  }

  int threads() {
    return tensorCores ? 128 : 256;
  }

  /** The most tiles that the rows of all segments can have. */
  long tiles(long rows, Tensor segments) {
    return rows / (tensorCores ? TENSOR_ROWS : step) + segments.rows();
  }

  int sharedOfForward(long headSize) {
    return tensorCores ? rows(3 * TENSOR_ROWS) : plain(2, 1, headSize);
  }

  int sharedOfBackwardQueries(long headSize) {
    return tensorCores ? rows(2 * TENSOR_ROWS + 4 * step) : plain(3, 1, headSize);
  }

  int sharedOfBackwardKeys(long headSize) {
    // Beside the rows, for each of two stages, one number for each query.
    return tensorCores
        ? rows(2 * TENSOR_ROWS + 4 * step) + 4 * step * Float.BYTES
        : plain(4, 2, headSize);
  }

  /** Bytes of so many rows of bfloat16. */
  private int rows(int count) {
    return count * size * DType.BF16.bytes();
  }

  /** Bytes of so many float32 tiles of rows, and so many of scores. */
  private int plain(int rowTiles, int scoreTiles, long headSize) {
    return Math.toIntExact(
        (long) Float.BYTES * step * (rowTiles * (headSize + 1) + scoreTiles * (step + 1L)));
  }
}
