package dev.nibble.trainer.model;

import dev.nibble.compute.tensor.Shape;
import dev.nibble.trainer.model.TensorSpec.Kind;
import java.util.ArrayList;
import java.util.List;

/** Names and shapes of a checkpoint's tensors. */
final class ModelTensors {
  static final String EMBEDDING = "model.embed_tokens.weight";
  static final String LAST_NORM = "model.norm.weight";
  static final String HEAD = "lm_head.weight";

  private final ModelConfig config;
  private final List<TensorSpec> all = new ArrayList<>();

  private ModelTensors(ModelConfig config) {
    this.config = config;
  }

  /** Path of a module of layer l, such as {@code model.layers.0.self_attn.q_proj}. */
  static String module(int layer, String part) {
    return "model.layers." + layer + "." + part;
  }

  /** All tensors, in the order of the forward pass. */
  static List<TensorSpec> of(ModelConfig c) {
    ModelTensors tensors = new ModelTensors(c);
    Shape table = Shape.of(c.sizes().vocab(), c.sizes().hidden());
    tensors.all.add(new TensorSpec(EMBEDDING, table, Kind.EMBEDDING));
    for (int l = 0; l < c.sizes().layers(); l++) {
      tensors.attention(l);
      tensors.mlp(l);
    }
    tensors.norm(LAST_NORM, c.sizes().hidden());
    if (!c.tiedHead()) {
      tensors.all.add(new TensorSpec(HEAD, table, Kind.HEAD));
    }
    return tensors.all;
  }

  private void attention(int l) {
    Sizes s = config.sizes();
    LayerWiring w = config.wiring();
    norm(module(l, "input_layernorm.weight"), s.hidden());
    if (w.fused()) {
      long rows = s.query() + 2L * s.keyValue();
      linear(module(l, "self_attn.qkv_proj"), rows, s.hidden(), w.inputBias());
    } else {
      linear(module(l, "self_attn.q_proj"), s.query(), s.hidden(), w.inputBias());
      linear(module(l, "self_attn.k_proj"), s.keyValue(), s.hidden(), w.inputBias());
      linear(module(l, "self_attn.v_proj"), s.keyValue(), s.hidden(), w.inputBias());
    }
    if (w.headNorms()) {
      norm(module(l, "self_attn.q_norm.weight"), s.head());
      norm(module(l, "self_attn.k_norm.weight"), s.head());
    }
    linear(module(l, "self_attn.o_proj"), s.hidden(), s.query(), w.outputBias());
    norm(module(l, "post_attention_layernorm.weight"), s.hidden());
  }

  private void mlp(int l) {
    Sizes s = config.sizes();
    LayerWiring w = config.wiring();
    if (w.postNorms()) {
      norm(module(l, "pre_feedforward_layernorm.weight"), s.hidden());
    }
    if (w.fused()) {
      linear(module(l, "mlp.gate_up_proj"), 2L * s.feedForward(), s.hidden(), w.mlpBias());
    } else {
      linear(module(l, "mlp.gate_proj"), s.feedForward(), s.hidden(), w.mlpBias());
      linear(module(l, "mlp.up_proj"), s.feedForward(), s.hidden(), w.mlpBias());
    }
    linear(module(l, "mlp.down_proj"), s.hidden(), s.feedForward(), w.mlpBias());
    if (w.postNorms()) {
      norm(module(l, "post_feedforward_layernorm.weight"), s.hidden());
    }
  }

  private void norm(String name, long size) {
    all.add(new TensorSpec(name, Shape.of(size), Kind.NORM));
  }

  private void linear(String module, long outputs, long inputs, boolean bias) {
    all.add(new TensorSpec(module + ".weight", Shape.of(outputs, inputs), Kind.LINEAR));
    if (bias) {
      all.add(new TensorSpec(module + ".bias", Shape.of(outputs), Kind.BIAS));
    }
  }
}
