package dev.nibble.trainer.model.layers;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.config.LayerPlan;
import java.util.List;

/**
 * The feed-forward part of a layer, which works on each token by itself. Forward comes in two
 * steps, so that a layer whose activations are computed again can leave out the second, which
 * backward does not need.
 */
public sealed interface FeedForward permits GatedMlp {

  /** Everything before the last projection: all that backward needs. */
  void expand(Kernels kernels, Saved saved, Tensor x, ForwardMode mode);

  /** out [N, C], after {@link #expand}. */
  void contract(Kernels kernels, Tensor out, Saved saved, ForwardMode mode);

  /** Adds to dx [N, C] and to the projections' gradients. */
  void backward(
      Kernels kernels,
      Tensor dx,
      Gradients grads,
      Tensor dout,
      Saved saved,
      Tensor x,
      ForwardMode mode);

  /** What forward keeps for backward. */
  sealed interface Saved permits GatedMlp.Saved {
    /** Buffers for n tokens of what this plan describes. */
    static Saved allocate(Buffers buffers, LayerPlan.FeedForward plan, int n) {
      return switch (plan) {
        case LayerPlan.GatedMlp mlp -> GatedMlp.Saved.allocate(buffers, mlp, n);
      };
    }

    /** Of the first n tokens. */
    Saved slice(int n);

    /** The activations in the order in which forward computes them. */
    List<Tensor> inOrder();
  }

  /** Gradients of what is saved. */
  sealed interface Gradients permits GatedMlp.Gradients {
    /** Buffers for n tokens of what this plan describes. */
    static Gradients allocate(Buffers buffers, LayerPlan.FeedForward plan, int n) {
      return switch (plan) {
        case LayerPlan.GatedMlp mlp -> GatedMlp.Gradients.allocate(buffers, mlp, n);
      };
    }

    /** Of the first n tokens. */
    Gradients slice(int n);
  }
}
