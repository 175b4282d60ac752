package dev.nibble.trainer.model;

import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Wires a model from its parts. */
final class ModelBuilder {
  private final ModelConfig config;
  private final Parts parts;

  /** [N, M] for the widest fused matrix; of 0 tokens without any. */
  private final Tensor fusedRoom;

  private ModelBuilder(ModelConfig config, Parts parts, Tensor fusedRoom) {
    this.config = config;
    this.parts = parts;
    this.fusedRoom = fusedRoom;
  }

  static DecoderModel build(
      ModelConfig config,
      Parts parts,
      Parameters parameters,
      ModelOptions options,
      Kernels kernels,
      Scope scope) {
    Buffers buffers = Buffers.of(kernels, scope);
    ModelBuilder builder =
        new ModelBuilder(config, parts, fusedRoom(config, options.maxBatchTokens(), buffers));
    Embedding embedding = parts.embedding(ModelTensors.EMBEDDING);
    List<Block> blocks = new ArrayList<>();
    for (int l = 0; l < config.sizes().layers(); l++) {
      blocks.add(builder.block(l));
    }
    LmHead head =
        new LmHead(
            builder.norm(ModelTensors.LAST_NORM),
            parts.head(config.tiedHead() ? ModelTensors.EMBEDDING : ModelTensors.HEAD),
            buffers,
            config,
            options.maxBatchTokens(),
            parameters.train());
    return new DecoderModel(config, kernels, scope, parameters, embedding, blocks, head, options);
  }

  private static Tensor fusedRoom(ModelConfig config, int tokens, Buffers buffers) {
    Sizes s = config.sizes();
    long width = Math.max(s.query() + 2L * s.keyValue(), 2L * s.feedForward());
    long n = config.wiring().fused() ? tokens * width : 0;
    return buffers.activation("scratch/fused", n);
  }

  private Block block(int l) {
    if (config.wiring().postNorms()) {
      return new SandwichBlock(
          norm(l, "input_layernorm"),
          attention(l),
          norm(l, "post_attention_layernorm"),
          norm(l, "pre_feedforward_layernorm"),
          mlp(l),
          norm(l, "post_feedforward_layernorm"));
    }
    return new PreNormBlock(
        norm(l, "input_layernorm"), attention(l), norm(l, "post_attention_layernorm"), mlp(l));
  }

  private Attention attention(int l) {
    Sizes s = config.sizes();
    Projections inputs =
        config.wiring().fused()
            ? fused(l, "self_attn.qkv_proj", s.query() + 2L * s.keyValue())
            : separate(l, "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj");
    Optional<HeadNorms> headNorms =
        config.wiring().headNorms()
            ? Optional.of(new HeadNorms(norm(l, "self_attn.q_norm"), norm(l, "self_attn.k_norm")))
            : Optional.empty();
    return new Attention(
        inputs,
        headNorms,
        linear(l, "self_attn.o_proj"),
        config.attention().get(l).rule(),
        s.head(),
        config.rope(l));
  }

  private GatedMlp mlp(int l) {
    Projections inputs =
        config.wiring().fused()
            ? fused(l, "mlp.gate_up_proj", 2L * config.sizes().feedForward())
            : separate(l, "mlp.gate_proj", "mlp.up_proj");
    return new GatedMlp(inputs, linear(l, "mlp.down_proj"), config.wiring().activation());
  }

  private Projections fused(int l, String name, long width) {
    long tokens = fusedRoom.elements() / width;
    return new Projections.Fused(
        linear(l, name), fusedRoom.prefix(tokens * width).reshape(tokens, width));
  }

  private Projections separate(int l, String... names) {
    List<Projection> maps = new ArrayList<>();
    for (String name : names) {
      maps.add(linear(l, name));
    }
    return new Projections.Separate(maps);
  }

  private Projection linear(int l, String name) {
    return parts.linear(ModelTensors.module(l, name));
  }

  private Norm norm(int l, String name) {
    return norm(ModelTensors.module(l, name + ".weight"));
  }

  private Norm norm(String name) {
    return parts.norm(name, config.normEpsilon()).withOffset(config.wiring().normOffset());
  }
}
