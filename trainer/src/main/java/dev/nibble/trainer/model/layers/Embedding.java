package dev.nibble.trainer.model.layers;

import dev.nibble.adapters.EmbeddingUpdate;
import dev.nibble.adapters.ForwardMode;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Tensor;
import java.util.Optional;

/**
 * A table of token embeddings.
 *
 * @param table F32, BF16 or F16 [V, C]
 * @param gradient F32 [V, C], when the table trains
 * @param update what an adapter adds to the table's rows
 * @param scale factor of the rows
 */
public record Embedding(
    Tensor table, Optional<Tensor> gradient, Optional<EmbeddingUpdate> update, double scale)
    implements Embedder {

  /** A table without an adapter. */
  public Embedding(Tensor table, Optional<Tensor> gradient) {
    this(table, gradient, Optional.empty(), 1);
  }

  /** The same table with an adapter. */
  public Embedding with(EmbeddingUpdate added) {
    return new Embedding(table, gradient, Optional.of(added), scale);
  }

  /** The same, scaled by sqrt(C), rounded to the table's dtype. */
  public Embedding scaled() {
    float root = (float) Math.sqrt((double) table.cols());
    double rounded =
        switch (table.dtype()) {
          case BF16 -> Half.fromBf16(Half.toBf16(root));
          case F16 -> Half.fromF16(Half.toF16(root));
          default -> root;
        };
    return new Embedding(table, gradient, update, rounded);
  }

  @Override
  public boolean trains() {
    return gradient.isPresent() || update.isPresent();
  }

  @Override
  public void forward(Kernels kernels, Tensor out, Sequences batch, ForwardMode mode) {
    Tensor tokens = batch.tokens().tensor();
    kernels.moving().gatherRowsForward(out, table, tokens);
    if (update.isPresent() && mode.adapters()) {
      update.get().forward(kernels, out, tokens);
    }
    if (scale != 1) {
      kernels.pointwise().scale(out, scale);
    }
  }

  @Override
  public void backward(Kernels kernels, Tensor dout, Sequences batch) {
    Tensor tokens = batch.tokens().tensor();
    if (scale != 1) {
      kernels.pointwise().scale(dout, scale);
    }
    if (gradient.isPresent()) {
      kernels.moving().gatherRowsBackward(gradient.get(), dout, tokens);
    }
    if (update.isPresent()) {
      update.get().backward(kernels, dout, tokens);
    }
  }
}
