package dev.nibble.trainer.model;

import dev.nibble.compute.tensor.Shape;
import dev.nibble.trainer.model.TensorSpec.Kind;
import java.util.ArrayList;
import java.util.List;

/** Names and shapes of a Llama checkpoint's tensors. */
final class LlamaTensors {
  static final String EMBEDDING = "model.embed_tokens.weight";
  static final String LAST_NORM = "model.norm.weight";
  static final String HEAD = "lm_head.weight";

  private LlamaTensors() {}

  /** Path of a module of layer l, such as {@code model.layers.0.self_attn.q_proj}. */
  static String module(int layer, String part) {
    return "model.layers." + layer + "." + part;
  }

  /** All tensors, in the order of the forward pass. */
  static List<TensorSpec> of(LlamaConfig c) {
    List<TensorSpec> all = new ArrayList<>();
    long hidden = c.hiddenSize();
    long wide = c.feedForwardSize();
    all.add(new TensorSpec(EMBEDDING, Shape.of(c.vocabSize(), hidden), Kind.EMBEDDING));
    for (int l = 0; l < c.layers(); l++) {
      norm(all, module(l, "input_layernorm.weight"), hidden);
      linear(all, module(l, "self_attn.q_proj"), c.querySize(), hidden, c.attentionBias());
      linear(all, module(l, "self_attn.k_proj"), c.keyValueSize(), hidden, c.attentionBias());
      linear(all, module(l, "self_attn.v_proj"), c.keyValueSize(), hidden, c.attentionBias());
      linear(all, module(l, "self_attn.o_proj"), hidden, c.querySize(), c.attentionBias());
      norm(all, module(l, "post_attention_layernorm.weight"), hidden);
      linear(all, module(l, "mlp.gate_proj"), wide, hidden, c.mlpBias());
      linear(all, module(l, "mlp.up_proj"), wide, hidden, c.mlpBias());
      linear(all, module(l, "mlp.down_proj"), hidden, wide, c.mlpBias());
    }
    norm(all, LAST_NORM, hidden);
    if (!c.tiedHead()) {
      all.add(new TensorSpec(HEAD, Shape.of(c.vocabSize(), hidden), Kind.HEAD));
    }
    return all;
  }

  private static void norm(List<TensorSpec> all, String name, long size) {
    all.add(new TensorSpec(name, Shape.of(size), Kind.NORM));
  }

  private static void linear(
      List<TensorSpec> all, String module, long outputs, long inputs, boolean bias) {
    all.add(new TensorSpec(module + ".weight", Shape.of(outputs, inputs), Kind.LINEAR));
    if (bias) {
      all.add(new TensorSpec(module + ".bias", Shape.of(outputs), Kind.BIAS));
    }
  }
}
