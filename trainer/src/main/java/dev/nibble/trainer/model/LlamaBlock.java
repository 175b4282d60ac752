package dev.nibble.trainer.model;

import dev.nibble.adapters.Pass;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * One layer: mid = x + attention(norm1(x)); out = mid + mlp(norm2(mid)). All [N, C].
 *
 * @param norm1 {@code input_layernorm}
 * @param norm2 {@code post_attention_layernorm}
 */
record LlamaBlock(Norm norm1, Attention attention, Norm norm2, GatedMlp mlp) {

  /**
   * What forward keeps for backward, besides x.
   *
   * @param normed1 [N, C]
   * @param rstd1 [N]
   * @param mid [N, C]
   * @param normed2 [N, C]
   * @param rstd2 [N]
   */
  record Saved(
      Tensor normed1,
      Tensor rstd1,
      Attention.Saved attention,
      Tensor mid,
      Tensor normed2,
      Tensor rstd2,
      GatedMlp.Saved mlp) {
    static Saved allocate(Scope scope, LlamaConfig c, int n) {
      return new Saved(
          scope.allocate("activations/normed1", DType.F32, n, c.hiddenSize()),
          scope.allocate("activations/rstd1", DType.F32, n),
          Attention.Saved.allocate(scope, c, n),
          scope.allocate("activations/mid", DType.F32, n, c.hiddenSize()),
          scope.allocate("activations/normed2", DType.F32, n, c.hiddenSize()),
          scope.allocate("activations/rstd2", DType.F32, n),
          GatedMlp.Saved.allocate(scope, c, n));
    }

    Saved slice(int n) {
      return new Saved(
          normed1.slice(0, n),
          rstd1.slice(0, n),
          attention.slice(n),
          mid.slice(0, n),
          normed2.slice(0, n),
          rstd2.slice(0, n),
          mlp.slice(n));
    }
  }

  /**
   * Scratch of backward.
   *
   * @param normed [N, C]: gradient of normed2, then of normed1
   */
  record Gradients(Tensor normed, Attention.Gradients attention, GatedMlp.Gradients mlp) {
    static Gradients allocate(Scope scope, LlamaConfig c, int n) {
      return new Gradients(
          scope.allocate("scratch/dnormed", DType.F32, n, c.hiddenSize()),
          Attention.Gradients.allocate(scope, c, n),
          GatedMlp.Gradients.allocate(scope, c, n));
    }

    Gradients slice(int n) {
      return new Gradients(normed.slice(0, n), attention.slice(n), mlp.slice(n));
    }
  }

  void forward(Kernels kernels, Tensor out, Saved s, Tensor x, Sequences at, Pass pass) {
    recompute(kernels, s, x, at, pass);
    mlp.contract(kernels, out, s.mlp, pass);
    kernels.add(out, out, s.mid);
  }

  /** The part of forward that backward needs: all but the last projection. */
  void recompute(Kernels kernels, Saved s, Tensor x, Sequences at, Pass pass) {
    norm1.forward(kernels, s.normed1, s.rstd1, x);
    attention.forward(kernels, s.mid, s.attention, s.normed1, at, pass);
    kernels.add(s.mid, s.mid, x);
    norm2.forward(kernels, s.normed2, s.rstd2, s.mid);
    mlp.expand(kernels, s.mlp, s.normed2, pass);
  }

  /**
   * Turns the gradient of out into the gradient of x, in place: what flows past a branch stays,
   * what flows through it is added.
   *
   * @param dx [N, C]: in, the gradient of out; after the MLP's branch, of mid; at the end, of x
   */
  void backward(
      Kernels kernels, Tensor dx, Gradients d, Saved s, Tensor x, Sequences at, Pass pass) {
    kernels.fill(d.normed, 0);
    mlp.backward(kernels, d.normed, d.mlp, dx, s.mlp, s.normed2, pass);
    norm2.backward(kernels, dx, d.normed, s.mid, s.rstd2);
    kernels.fill(d.normed, 0);
    attention.backward(kernels, d.normed, d.attention, dx, s.attention, s.normed1, at, pass);
    norm1.backward(kernels, dx, d.normed, x, s.rstd1);
  }

  /** Forward for generation, over cached keys and values. */
  void decode(Kernels kernels, Tensor out, Saved s, Tensor x, Sequences at, KeyValueCache cache) {
    norm1.forward(kernels, s.normed1, s.rstd1, x);
    attention.decode(kernels, s.mid, s.attention, s.normed1, at, cache);
    kernels.add(s.mid, s.mid, x);
    norm2.forward(kernels, s.normed2, s.rstd2, s.mid);
    mlp.expand(kernels, s.mlp, s.normed2, Pass.EVALUATION);
    mlp.contract(kernels, out, s.mlp, Pass.EVALUATION);
    kernels.add(out, out, s.mid);
  }
}
