package dev.nibble.trainer.model.layers;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.kernels.Activation;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.config.LayerPlan;
import java.util.List;

/**
 * A gated MLP (arXiv:2002.05202): out = down(a(gate(x)) * up(x)).
 *
 * @param inputs gate and up
 */
public record GatedMlp(Projections inputs, Projection down, Activation activation)
    implements FeedForward {

  /**
   * What forward keeps for backward, all [N, F].
   *
   * @param hidden a(gate) * up: what down projects
   */
  record Saved(Tensor gate, Tensor up, Tensor hidden) implements FeedForward.Saved {
    static Saved allocate(Buffers buffers, LayerPlan.GatedMlp plan, int n) {
      return new Saved(
          buffers.activation("activations/gate", n, plan.width()),
          buffers.activation("activations/up", n, plan.width()),
          buffers.activation("activations/mlp_hidden", n, plan.width()));
    }

    @Override
    public List<Tensor> inOrder() {
      return List.of(gate, up, hidden);
    }

    @Override
    public Saved slice(int n) {
      return new Saved(gate.slice(0, n), up.slice(0, n), hidden.slice(0, n));
    }
  }

  /** Gradients of what is saved, in the same shapes. */
  record Gradients(Tensor gate, Tensor up, Tensor hidden) implements FeedForward.Gradients {
    static Gradients allocate(Buffers buffers, LayerPlan.GatedMlp plan, int n) {
      return new Gradients(
          buffers.activation("scratch/dgate", n, plan.width()),
          buffers.activation("scratch/dup", n, plan.width()),
          buffers.activation("scratch/dmlp_hidden", n, plan.width()));
    }

    @Override
    public Gradients slice(int n) {
      return new Gradients(gate.slice(0, n), up.slice(0, n), hidden.slice(0, n));
    }
  }

  @Override
  public void expand(Kernels kernels, FeedForward.Saved kept, Tensor x, ForwardMode mode) {
    Saved saved = (Saved) kept;
    inputs.forward(kernels, List.of(saved.gate, saved.up), x, mode);
    kernels.pointwise().gatedForward(saved.hidden, saved.gate, saved.up, activation);
  }

  @Override
  public void contract(Kernels kernels, Tensor out, FeedForward.Saved kept, ForwardMode mode) {
    down.forward(kernels, out, ((Saved) kept).hidden, mode);
  }

  @Override
  public void backward(
      Kernels kernels,
      Tensor dx,
      FeedForward.Gradients scratch,
      Tensor dout,
      FeedForward.Saved kept,
      Tensor x,
      ForwardMode mode) {
    Gradients grads = (Gradients) scratch;
    Saved saved = (Saved) kept;
    kernels.moving().fill(grads.hidden, 0);
    down.backward(kernels, grads.hidden, dout, saved.hidden, mode);
    kernels.moving().fill(grads.gate, 0);
    kernels.moving().fill(grads.up, 0);
    kernels
        .pointwise()
        .gatedBackward(grads.gate, grads.up, grads.hidden, saved.gate, saved.up, activation);
    inputs.backward(kernels, dx, List.of(grads.gate, grads.up), x, mode);
  }
}
