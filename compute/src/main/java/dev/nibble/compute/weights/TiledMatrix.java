package dev.nibble.compute.weights;

import dev.nibble.compute.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * A frozen matrix of which any part can be decoded without the rest, in one of the forms that
 * kernels multiply by. Every kernel set takes every form. It may match a form for which it has a
 * faster way, which gives the same bits; any other it decodes a tile at a time.
 */
public sealed interface TiledMatrix extends FrozenMatrix
    permits Dense, Codebook, Affine, WithOutliers, Lattice {

  @Override
  TiledMatrix over(UnaryOperator<Tensor> other);
}
