package dev.nibble.trainer.model.config;

import dev.nibble.compute.tensor.Shape;
import dev.nibble.trainer.model.config.TensorSpec.Kind;
import java.util.ArrayList;
import java.util.List;

/** Names and shapes of a checkpoint's tensors. */
public final class ModelTensors {
  public static final String EMBEDDING = "model.embed_tokens.weight";
  public static final String LAST_NORM = "model.norm.weight";
  public static final String HEAD = "lm_head.weight";

  private final ModelConfig config;
  private final List<TensorSpec> all = new ArrayList<>();

  private ModelTensors(ModelConfig config) {
    this.config = config;
  }

  /** Path of a module of layer layer, such as {@code model.layers.0.self_attn.q_proj}. */
  public static String module(int layer, String part) {
    return "model.layers." + layer + "." + part;
  }

  /** All tensors, in the order of the forward pass. */
  public static List<TensorSpec> of(ModelConfig c) {
    ModelTensors tensors = new ModelTensors(c);
    Shape table = Shape.of(c.sizes().vocab(), c.sizes().hidden());
    tensors.all.add(new TensorSpec(EMBEDDING, table, Kind.EMBEDDING));
    for (int layer = 0; layer < c.sizes().layers(); layer++) {
      tensors.attention(layer);
      tensors.mlp(layer);
    }
    tensors.norm(LAST_NORM, c.sizes().hidden());
    if (!c.tiedHead()) {
      tensors.all.add(new TensorSpec(HEAD, table, Kind.HEAD));
    }
    return tensors.all;
  }

  private void attention(int layer) {
    Sizes s = config.sizes();
    LayerWiring w = config.wiring();
    norm(module(layer, "input_layernorm.weight"), s.hidden());
    if (w.fused()) {
      long rows = s.query() + 2L * s.keyValue();
      linear(module(layer, "self_attn.qkv_proj"), rows, s.hidden(), w.inputBias());
    } else {
      linear(module(layer, "self_attn.q_proj"), s.query(), s.hidden(), w.inputBias());
      linear(module(layer, "self_attn.k_proj"), s.keyValue(), s.hidden(), w.inputBias());
      linear(module(layer, "self_attn.v_proj"), s.keyValue(), s.hidden(), w.inputBias());
    }
    if (w.headNorms()) {
      norm(module(layer, "self_attn.q_norm.weight"), s.head());
      norm(module(layer, "self_attn.k_norm.weight"), s.head());
    }
    linear(module(layer, "self_attn.o_proj"), s.hidden(), s.query(), w.outputBias());
    norm(module(layer, "post_attention_layernorm.weight"), s.hidden());
  }

  private void mlp(int layer) {
    Sizes s = config.sizes();
    LayerWiring w = config.wiring();
    if (w.postNorms()) {
      norm(module(layer, "pre_feedforward_layernorm.weight"), s.hidden());
    }
    if (w.fused()) {
      linear(module(layer, "mlp.gate_up_proj"), 2L * s.feedForward(), s.hidden(), w.mlpBias());
    } else {
      linear(module(layer, "mlp.gate_proj"), s.feedForward(), s.hidden(), w.mlpBias());
      linear(module(layer, "mlp.up_proj"), s.feedForward(), s.hidden(), w.mlpBias());
    }
    linear(module(layer, "mlp.down_proj"), s.hidden(), s.feedForward(), w.mlpBias());
    if (w.postNorms()) {
      norm(module(layer, "post_feedforward_layernorm.weight"), s.hidden());
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
