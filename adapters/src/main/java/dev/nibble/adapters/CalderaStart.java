package dev.nibble.adapters;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.LowRank;
import dev.nibble.compute.weights.Rotated;
import dev.nibble.compute.weights.Rotation;
import dev.nibble.compute.weights.TiledMatrix;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.linalg.HostProducts;
import java.util.Optional;

/**
 * Initial values that are the leading part of a weight's own low-rank product, as CALDERA's
 * fine-tuning has it (arXiv:2405.18886): of W = U^T (Q + L R) V the update takes over U^T L_r R_r V
 * for the first r columns of L and rows of R, and the rest stays frozen. W is the same as before.
 *
 * @param update A and B, which are filled
 */
record CalderaStart(LowRankUpdate update, Kernels kernels) {

  /** Reads W, fills A and B, and keeps the rest. */
  FrozenMatrix load(FrozenWeights weights, String name) {
    int rank = Math.toIntExact(update.a().weight().rows());
    if (!(weights.load(name) instanceof Rotated whole) || whole.lowRank().isEmpty()) {
      throw new AdapterException(
          "init_lora_weights caldera: %s has no low-rank product; give a base that `nibble quantize --type caldera` has written"
              .formatted(name));
    }
    LowRank factors = whole.lowRank().get();
    if (rank > factors.rank()) {
      throw new AdapterException(
          "init_lora_weights caldera: rank %d is more than the %d of %s's product"
              .formatted(rank, factors.rank(), name));
    }
    if (!kernels.memory().isPlanned()) {
      fill(whole, factors.part(0, rank));
    }
    return new Rotated(
        whole.base(),
        rank == factors.rank() ? Optional.empty() : Optional.of(factors.part(rank, factors.rank())),
        whole.outputs(),
        whole.inputs());
  }

  /** A = R V / sqrt(s) and B = U^T L / sqrt(s), so that s B A is the product. */
  private void fill(Rotated whole, LowRank leading) {
    try (HostCopies host = new HostCopies(kernels)) {
      float[] left = values(leading.left().over(host::of), whole.outputs().over(host::of));
      float[] right = values(leading.right().over(host::of), whole.inputs().over(host::of));
      TensorValues.put(kernels, update.a().weight(), right);
      int rank = Math.toIntExact(leading.rank());
      TensorValues.put(kernels, update.b().weight(), HostProducts.transposed(left, rank));
    }
  }

  /** Rows of a factor in the basis of activations, times 1 / sqrt(s). */
  private float[] values(TiledMatrix factor, Rotation rotation) {
    float[] all = factor.decoded();
    int cols = Math.toIntExact(factor.cols());
    float root = (float) (1 / Math.sqrt(update.scale()));
    for (int row = 0; row < factor.rows(); row++) {
      rotation.undo(all, row * cols);
    }
    for (int i = 0; i < all.length; i++) {
      all[i] *= root;
    }
    return all;
  }
}
