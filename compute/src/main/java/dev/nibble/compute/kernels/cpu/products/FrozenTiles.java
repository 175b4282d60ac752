package dev.nibble.compute.kernels.cpu.products;

import dev.nibble.compute.kernels.cpu.work.Conversion;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.Lattice;
import dev.nibble.compute.weights.TiledMatrix;
import dev.nibble.compute.weights.WithOutliers;
import java.lang.foreign.MemorySegment;

/**
 * The values of a frozen matrix in float32, read by runs of its flattened elements. Forms without a
 * faster way here are read by their own {@link TiledMatrix#decode}.
 */
interface FrozenTiles {

  /** to[at + i] = element start + i, for i below n. */
  void read(long start, MemorySegment to, long at, long n);

  /** Of a matrix, the fastest that fits it. */
  static FrozenTiles of(TiledMatrix matrix) {
    return switch (matrix) {
      case Dense dense -> (start, to, at, n) -> Conversion.widen(dense.weight(), start, to, at, n);
      case Codebook codebook when FourBitDecoder.fits(codebook) ->
          (start, to, at, n) -> FourBitDecoder.decode(codebook, start, to, at, n);
      case Lattice lattice when LatticeDecoder.fits() -> new LatticeDecoder(lattice);
      case Affine affine when AffineDecoder.fits(affine) -> new AffineDecoder(affine);
      case WithOutliers sparse -> {
        FrozenTiles base = of(sparse.base());
        yield (start, to, at, n) -> {
          base.read(start, to, at, n);
          sparse.overlay(start, n, to, at);
        };
      }
      default ->
          (start, to, at, n) ->
              matrix.decode(start, n, to.asSlice(at * Float.BYTES, n * Float.BYTES));
    };
  }
}
