package dev.nibble.compute.kernels.cuda.products;

import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;

/** Weights in 8-bit integers with scales and zero points: encoding and decoding. */
final class AffineKernels {
  private static final int WARP = 32;

  private final Launch launch;

  AffineKernels(Launch launch) {
    this.launch = launch;
  }

  /** A warp for each group. */
  void encode(Affine out, Tensor in) {
    long groups = out.scales().elements();
    launch
        .kernel("encode_affine", in.dtype())
        .tensor(out.codes())
        .tensor(out.scales())
        .tensor(out.zeros())
        .tensor(in)
        .i64(groups)
        .i32(out.group())
        .each(WARP * groups);
  }

  /** See {@link FrozenTiles#read}. */
  void decode(Tensor tile, Affine weight, long first, long rows, long width) {
    boolean whole = width == weight.cols();
    long height = whole ? 1 : rows;
    long length = whole ? rows * width : width;
    launch
        .kernel("decode_affine", tile.dtype())
        .tensor(tile)
        .tensor(weight.codes())
        .tensor(weight.scales())
        .tensor(weight.zeros())
        .i64(first)
        .i64(height)
        .i64(length)
        .i64(weight.cols())
        .i32(weight.group())
        .each(height * Math.ceilDiv(length, 8));
  }
}
