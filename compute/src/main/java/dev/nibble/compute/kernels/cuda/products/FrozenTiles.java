package dev.nibble.compute.kernels.cuda.products;

import dev.nibble.compute.kernels.MovingKernels;
import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Lattice;
import dev.nibble.compute.weights.Rotated;
import dev.nibble.compute.weights.TiledMatrix;
import dev.nibble.compute.weights.WithOutliers;

/** Frozen matrices, encoded, and decoded a tile at a time. */
final class FrozenTiles {
  private final Launch launch;
  private final MovingKernels moving;
  private final FourBitKernels fourBit;
  private final AffineKernels affine;
  private final HostForms host;

  FrozenTiles(Launch launch, MovingKernels moving, FourBitKernels fourBit) {
    this.launch = launch;
    this.moving = moving;
    this.fourBit = fourBit;
    affine = new AffineKernels(launch);
    host = new HostForms(moving);
  }

  /** See {@link FrozenMatrix#encode}. */
  void encode(FrozenMatrix out, Tensor in) {
    switch (out) {
      case Dense(Tensor weight) -> moving.copy(weight, in);
      case Codebook codebook when FourBitKernels.fits(codebook) -> fourBit.encode(codebook, in);
      case Affine matrix when AffineKernels.encodes(matrix) -> affine.encode(matrix, in);
      default -> host.encode(out, in);
    }
  }

  /** See {@link FrozenMatrix#decode}. */
  void decode(Tensor out, FrozenMatrix in) {
    switch (in) {
      case Dense(Tensor weight) -> moving.copy(out, weight);
      case TiledMatrix matrix -> read(out, matrix, 0, in.rows(), in.cols());
      case Rotated matrix -> host.decode(out, matrix);
    }
  }

  /**
   * tile[r, j] = element first + r * cols + j of the flattened matrix, j below width.
   *
   * @param tile F32, BF16 or F16, rows*width elements; of another dtype than a dense matrix
   */
  void read(Tensor tile, TiledMatrix matrix, long first, long rows, long width) {
    switch (matrix) {
      case Dense(Tensor weight) -> convert(tile, weight, first, rows, width);
      case Codebook codebook when FourBitKernels.fits(codebook) ->
          fourBit.decode(tile, codebook, first, rows, width);
      case Affine weight -> affine.decode(tile, weight, first, rows, width);
      case WithOutliers sparse -> {
        read(tile, sparse.base(), first, rows, width);
        overlay(tile, sparse, first, rows, width);
      }
      case Lattice weight -> lattice(tile, weight, first, rows, width);
      default -> host.decode(tile, matrix, first, rows, width);
    }
  }

  private void lattice(Tensor tile, Lattice weight, long first, long rows, long width) {
    boolean whole = width == weight.cols();
    long height = whole ? 1 : rows;
    long length = whole ? rows * width : width;
    launch.kernel("decode_lattice", tile.dtype()).tensor(tile).tensor(weight.codes());
    if (weight.residuals().isPresent()) {
      launch.tensor(weight.residuals().get());
    } else {
      launch.none();
    }
    launch
        .tensor(weight.scales())
        .i32(weight.bits())
        .i64(first)
        .i64(height)
        .i64(length)
        .i64(weight.cols())
        .moves(moved(tile, weight, rows, width))
        .each(height * Math.ceilDiv(length, 8));
  }

  /** Bytes of a tile, and of its part of a matrix. */
  static double moved(Tensor tile, FrozenMatrix matrix, long rows, long width) {
    double elements = (double) rows * width;
    return elements * tile.dtype().bytes() + matrix.bytes() * (elements / matrix.elements());
  }

  /** A warp for each row. */
  private void overlay(Tensor tile, WithOutliers sparse, long first, long rows, long width) {
    String kernel =
        sparse.values().dtype() == DType.F16 ? "overlay_outliers_f16" : "overlay_outliers_bf16";
    launch
        .kernel(kernel, tile.dtype())
        .tensor(tile)
        .tensor(sparse.starts())
        .tensor(sparse.columns())
        .tensor(sparse.values())
        .i64(first / sparse.cols())
        .i64(first % sparse.cols())
        .i64(rows)
        .i64(width)
        .each(rows * Launch.WARP);
  }

  private void convert(Tensor tile, Tensor weight, long first, long rows, long width) {
    boolean whole = width == weight.cols();
    long height = whole ? 1 : rows;
    long length = whole ? rows * width : width;
    String kernel =
        switch (weight.dtype()) {
          case F32 -> "convert_f32";
          case BF16 -> "convert_bf16";
          case F16 -> "convert_f16";
          default ->
              throw new IllegalArgumentException(weight + ": expected F32, BF16 or F16 weights");
        };
    launch
        .kernel(kernel, tile.dtype())
        .tensor(tile)
        .tensor(weight)
        .i64(first)
        .i64(height)
        .i64(length)
        .i64(weight.cols())
        .moves((double) rows * width * (tile.dtype().bytes() + weight.dtype().bytes()))
        .each(height * Math.ceilDiv(length, 8));
  }
}
