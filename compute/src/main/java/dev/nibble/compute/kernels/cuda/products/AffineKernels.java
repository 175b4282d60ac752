package dev.nibble.compute.kernels.cuda.products;

import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.Groups;
import dev.nibble.compute.weights.Numbers;

/** Weights in integers with scales and zero points: encoding, of signed ones, and decoding. */
final class AffineKernels {
  /** The kind of quantised numbers with pairs in F32, see {@link #kind}; F16 is the next. */
  private static final int QUANTIZED = 4;

  private final Launch launch;

  AffineKernels(Launch launch) {
    this.launch = launch;
  }

  /** Whether there is a kernel that encodes. */
  static boolean encodes(Affine out) {
    return isInt8(out);
  }

  /** Whether codes are signed bytes in groups of inputs, with float32 scales. */
  private static boolean isInt8(Affine weight) {
    return weight.signed()
        && weight.groups().axis() == Groups.Axis.INPUTS
        && weight.scales() instanceof Numbers.Plain(Tensor scales)
        && scales.dtype() == DType.F32
        && weight.zeros() instanceof Numbers.Plain;
  }

  /** A warp for each group. */
  void encode(Affine out, Tensor in) {
    long groups = out.scales().count();
    launch
        .kernel("encode_affine", in.dtype())
        .tensor(out.codes())
        .tensor(out.scales().plain())
        .tensor(out.zeros().plain())
        .tensor(in)
        .i64(groups)
        .i32(out.groups().size())
        .each(Launch.WARP * groups);
  }

  /** See {@link FrozenTiles#read}. */
  void decode(Tensor tile, Affine weight, long first, long rows, long width) {
    boolean whole = width == weight.cols();
    long height = whole ? 1 : rows;
    long length = whole ? rows * width : width;
    if (isInt8(weight)) {
      launch
          .kernel("decode_affine", tile.dtype())
          .tensor(tile)
          .tensor(weight.codes())
          .tensor(weight.scales().plain())
          .tensor(weight.zeros().plain());
      part(weight, first, height, length);
    } else {
      boolean indexed = weight.index().isPresent();
      launch
          .kernel(indexed ? "decode_indexed" : "decode_stream", tile.dtype())
          .tensor(tile)
          .tensor(weight.codes())
          .i32(weight.bits());
      give(weight.scales());
      give(weight.zeros());
      part(weight, first, height, length);
      if (indexed) {
        launch.tensor(weight.index().get());
      } else {
        launch.i32(weight.groups().axis() == Groups.Axis.INPUTS ? 0 : weight.scales().count());
      }
    }
    launch
        .moves(FrozenTiles.moved(tile, weight, rows, width))
        .each(height * Math.ceilDiv(length, 8));
  }

  private void part(Affine weight, long first, long height, long length) {
    launch.i64(first).i64(height).i64(length).i64(weight.cols()).i32(weight.groups().size());
  }

  private void give(Numbers numbers) {
    switch (numbers) {
      case Numbers.Plain(Tensor values) ->
          launch.tensor(values).none().none().i32(1).i32(1).i32(1).i32(kind(values));
      case Numbers.Quantized q ->
          launch
              .tensor(q.codes())
              .tensor(q.scales())
              .tensor(q.zeros())
              .i32(q.sharing().stride())
              .i32(q.sharing().span())
              .i32(q.bits())
              .i32(QUANTIZED + kind(q.scales()));
    }
  }

  /** What a number is stored as, as affine.cu numbers it. */
  private static int kind(Tensor values) {
    return switch (values.dtype()) {
      case F32 -> 0;
      case F16 -> 1;
      case BF16 -> 2;
      case U8 -> 3;
      default -> throw new IllegalArgumentException("no kernel reads numbers in " + values);
    };
  }
}
