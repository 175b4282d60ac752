package dev.nibble.trainer.model.layers;

import dev.nibble.adapters.EmbeddingUpdate;
import dev.nibble.adapters.ForwardMode;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Tensor;
import java.util.Optional;

/**
 * Token embeddings.
 *
 * @param table F32, BF16 or F16 [V, C]
 * @param gradient F32 [V, C], when the table trains
 * @param update what an adapter adds to the table's rows
 */
public record Embedding(Tensor table, Optional<Tensor> gradient, Optional<EmbeddingUpdate> update) {

  /** A table without an adapter. */
  public Embedding(Tensor table, Optional<Tensor> gradient) {
    this(table, gradient, Optional.empty());
  }

  /** The same table with an adapter. */
  public Embedding with(EmbeddingUpdate added) {
    return new Embedding(table, gradient, Optional.of(added));
  }

  /** Whether {@link #backward} does anything. */
  boolean trains() {
    return gradient.isPresent() || update.isPresent();
  }

  /** out [N, C]: the row of each token. */
  void forward(Kernels kernels, Tensor out, Tensor tokens, ForwardMode mode) {
    kernels.moving().gatherRowsForward(out, table, tokens);
    if (update.isPresent() && mode.adapters()) {
      update.get().forward(kernels, out, tokens);
    }
  }

  /** Adds dout [N, C] to the gradients of what trains. */
  void backward(Kernels kernels, Tensor dout, Tensor tokens) {
    if (gradient.isPresent()) {
      kernels.moving().gatherRowsBackward(gradient.get(), dout, tokens);
    }
    if (update.isPresent()) {
      update.get().backward(kernels, dout, tokens);
    }
  }

  /** The factor sqrt(C) of families that scale embeddings, rounded to the table's dtype. */
  double scaleOf(int hidden) {
    float root = (float) Math.sqrt(hidden);
    return switch (table.dtype()) {
      case BF16 -> Half.fromBf16(Half.toBf16(root));
      case F16 -> Half.fromF16(Half.toF16(root));
      default -> root;
    };
  }
}
