package dev.nibble.trainer.model.layers;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.kernels.Activation;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.config.ModelConfig;
import java.util.List;

/**
 * The feed-forward part (arXiv:2002.05202): out = down(a(gate(x)) * up(x)).
 *
 * @param inputs gate and up
 */
public record GatedMlp(Projections inputs, Projection down, Activation activation) {

  /**
   * What forward keeps for backward, all [N, F].
   *
   * @param hidden a(gate) * up: what down projects
   */
  record Saved(Tensor gate, Tensor up, Tensor hidden) {
    static Saved allocate(Buffers buffers, ModelConfig c, int n) {
      return new Saved(
          buffers.activation("activations/gate", n, c.sizes().feedForward()),
          buffers.activation("activations/up", n, c.sizes().feedForward()),
          buffers.activation("activations/mlp_hidden", n, c.sizes().feedForward()));
    }

    Saved slice(int n) {
      return new Saved(gate.slice(0, n), up.slice(0, n), hidden.slice(0, n));
    }
  }

  /** Gradients of what is saved, in the same shapes. */
  record Gradients(Tensor gate, Tensor up, Tensor hidden) {
    static Gradients allocate(Buffers buffers, ModelConfig c, int n) {
      return new Gradients(
          buffers.activation("scratch/dgate", n, c.sizes().feedForward()),
          buffers.activation("scratch/dup", n, c.sizes().feedForward()),
          buffers.activation("scratch/dmlp_hidden", n, c.sizes().feedForward()));
    }

    Gradients slice(int n) {
      return new Gradients(gate.slice(0, n), up.slice(0, n), hidden.slice(0, n));
    }
  }

  /** Everything before the last projection: all that backward needs. */
  void expand(Kernels kernels, Saved saved, Tensor x, ForwardMode mode) {
    inputs.forward(kernels, List.of(saved.gate, saved.up), x, mode);
    kernels.pointwise().gatedForward(saved.hidden, saved.gate, saved.up, activation);
  }

  /** out [N, C], after {@link #expand}. */
  void contract(Kernels kernels, Tensor out, Saved saved, ForwardMode mode) {
    down.forward(kernels, out, saved.hidden, mode);
  }

  /** Adds to dx [N, C] and to the projections' gradients. */
  void backward(
      Kernels kernels,
      Tensor dx,
      Gradients grads,
      Tensor dout,
      Saved saved,
      Tensor x,
      ForwardMode mode) {
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
