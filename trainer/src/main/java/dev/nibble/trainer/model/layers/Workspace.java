package dev.nibble.trainer.model.layers;

import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.config.ModelConfig;
import java.util.List;
import java.util.stream.Stream;

/**
 * Every buffer that a pass over N tokens works in, taken once for the largest N; a smaller batch
 * uses the first rows.
 *
 * <p>With gradient {@link Checkpointing} some layers share one set of activations and keep only
 * their inputs, so backward computes their activations again. A model that does not train keeps
 * nothing.
 *
 * @param layers of the model
 * @param residuals [N, C] each: the input of every layer, then the output of the last; two that
 *     take turns when nothing is kept
 * @param saved one set for each layer that keeps its own; the others share the first
 * @param dresidual [N, C]: the gradient that flows down the residual stream
 * @param gradients scratch of backward
 */
record Workspace(
    int layers,
    List<Tensor> residuals,
    List<Block.Saved> saved,
    Tensor dresidual,
    Block.Gradients gradients) {

  static Workspace allocate(
      Buffers buffers, ModelConfig c, int maxTokens, boolean trains, Checkpointing checkpointing) {
    int layers = c.sizes().layers();
    int backwardTokens = trains ? maxTokens : 0;
    return new Workspace(
        layers,
        Stream.generate(
                () -> buffers.activation("activations/residual", maxTokens, c.sizes().hidden()))
            .limit(trains ? layers + 1 : 2)
            .toList(),
        c.layers().stream()
            .limit(trains ? checkpointing.keptOf(layers) : 1)
            .map(layer -> Block.Saved.allocate(buffers, layer, maxTokens))
            .toList(),
        buffers.activation("scratch/dresidual", backwardTokens, c.sizes().hidden()),
        Block.Gradients.allocate(buffers, c.layers().getFirst(), backwardTokens));
  }

  /** Views for a batch of n tokens. */
  Workspace forTokens(int n) {
    boolean backward = dresidual.dim(0) > 0;
    return new Workspace(
        layers,
        residuals.stream().map(t -> t.slice(0, n)).toList(),
        saved.stream().map(s -> s.slice(n)).toList(),
        dresidual.slice(0, backward ? n : 0),
        gradients.slice(backward ? n : 0));
  }

  /** The input of layer l; for l = L the output of the last layer. */
  Tensor residual(int layer) {
    return residuals.get(layer % residuals.size());
  }

  Block.Saved saved(int layer) {
    return saved.get(Math.max(0, layer - (layers - saved.size())));
  }

  /** True when a later layer overwrites the activations of this one. */
  boolean overwritten(int layer) {
    return layer < layers - saved.size();
  }
}
