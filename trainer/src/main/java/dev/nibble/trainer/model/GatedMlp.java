package dev.nibble.trainer.model;

import dev.nibble.adapters.Pass;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.kernels.Activation;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/** The feed-forward part (SwiGLU, arXiv:2002.05202): out = down(silu(gate(x)) * up(x)). */
record GatedMlp(Projection gate, Projection up, Projection down) {

  /**
   * What forward keeps for backward, all [N, F].
   *
   * @param hidden silu(gate) * up: what down projects
   */
  record Saved(Tensor gate, Tensor up, Tensor hidden) {
    static Saved allocate(Scope scope, LlamaConfig c, int n) {
      return new Saved(
          scope.allocate("activations/gate", DType.F32, n, c.feedForwardSize()),
          scope.allocate("activations/up", DType.F32, n, c.feedForwardSize()),
          scope.allocate("activations/mlp_hidden", DType.F32, n, c.feedForwardSize()));
    }

    Saved slice(int n) {
      return new Saved(gate.slice(0, n), up.slice(0, n), hidden.slice(0, n));
    }
  }

  /** Gradients of what is saved, in the same shapes. */
  record Gradients(Tensor gate, Tensor up, Tensor hidden) {
    static Gradients allocate(Scope scope, LlamaConfig c, int n) {
      return new Gradients(
          scope.allocate("scratch/dgate", DType.F32, n, c.feedForwardSize()),
          scope.allocate("scratch/dup", DType.F32, n, c.feedForwardSize()),
          scope.allocate("scratch/dmlp_hidden", DType.F32, n, c.feedForwardSize()));
    }

    Gradients slice(int n) {
      return new Gradients(gate.slice(0, n), up.slice(0, n), hidden.slice(0, n));
    }
  }

  /** Everything before the last projection: all that backward needs. */
  void expand(Kernels kernels, Saved s, Tensor x, Pass pass) {
    gate.forward(kernels, s.gate, x, pass);
    up.forward(kernels, s.up, x, pass);
    kernels.gatedForward(s.hidden, s.gate, s.up, Activation.SILU);
  }

  /** out [N, C], after {@link #expand}. */
  void contract(Kernels kernels, Tensor out, Saved s, Pass pass) {
    down.forward(kernels, out, s.hidden, pass);
  }

  /** Adds to dx [N, C] and to the projections' gradients. */
  void backward(
      Kernels kernels, Tensor dx, Gradients d, Tensor dout, Saved s, Tensor x, Pass pass) {
    kernels.fill(d.hidden, 0);
    down.backward(kernels, d.hidden, dout, s.hidden, pass);
    kernels.fill(d.gate, 0);
    kernels.fill(d.up, 0);
    kernels.gatedBackward(d.gate, d.up, d.hidden, s.gate, s.up, Activation.SILU);
    up.backward(kernels, dx, d.up, x, pass);
    gate.backward(kernels, dx, d.gate, x, pass);
  }
}
