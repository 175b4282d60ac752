package dev.nibble.trainer.model.build;

import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.ModelTensors;
import dev.nibble.trainer.model.config.Sizes;
import dev.nibble.trainer.model.layers.Attention;
import dev.nibble.trainer.model.layers.Block;
import dev.nibble.trainer.model.layers.DecoderModel;
import dev.nibble.trainer.model.layers.Embedding;
import dev.nibble.trainer.model.layers.GatedMlp;
import dev.nibble.trainer.model.layers.HeadNorms;
import dev.nibble.trainer.model.layers.LmHead;
import dev.nibble.trainer.model.layers.Norm;
import dev.nibble.trainer.model.layers.PreNormBlock;
import dev.nibble.trainer.model.layers.Projections;
import dev.nibble.trainer.model.layers.SandwichBlock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Wires a model of what a {@link LayerFactory} makes. */
final class ModelBuilder {
  private final ModelConfig config;
  private final LayerFactory factory;

  /** [N, M] for the widest fused matrix; of 0 tokens without any. */
  private final Tensor fusedScratch;

  private ModelBuilder(ModelConfig config, LayerFactory factory, Tensor fusedScratch) {
    this.config = config;
    this.factory = factory;
    this.fusedScratch = fusedScratch;
  }

  static DecoderModel build(
      ModelConfig config,
      LayerFactory factory,
      Parameters parameters,
      ModelOptions options,
      Kernels kernels,
      Scope scope) {
    Buffers buffers = Buffers.of(kernels, scope);
    ModelBuilder builder =
        new ModelBuilder(config, factory, fusedScratch(config, options.maxBatchTokens(), buffers));
    Embedding embedding = factory.embedding(ModelTensors.EMBEDDING);
    List<Block> blocks = new ArrayList<>();
    for (int layer = 0; layer < config.sizes().layers(); layer++) {
      blocks.add(builder.block(layer));
    }
    LmHead head =
        new LmHead(
            builder.norm(ModelTensors.LAST_NORM),
            factory.head(config.tiedHead() ? ModelTensors.EMBEDDING : ModelTensors.HEAD),
            buffers,
            config,
            options.maxBatchTokens(),
            parameters.train());
    return new DecoderModel(config, kernels, scope, parameters, embedding, blocks, head, options);
  }

  private static Tensor fusedScratch(ModelConfig config, int tokens, Buffers buffers) {
    Sizes s = config.sizes();
    long width = Math.max(s.query() + 2L * s.keyValue(), 2L * s.feedForward());
    long n = config.wiring().fused() ? tokens * width : 0;
    return buffers.activation("scratch/fused", n);
  }

  private Block block(int layer) {
    if (config.wiring().postNorms()) {
      return new SandwichBlock(
          norm(layer, "input_layernorm"),
          attention(layer),
          norm(layer, "post_attention_layernorm"),
          norm(layer, "pre_feedforward_layernorm"),
          mlp(layer),
          norm(layer, "post_feedforward_layernorm"));
    }
    return new PreNormBlock(
        norm(layer, "input_layernorm"),
        attention(layer),
        norm(layer, "post_attention_layernorm"),
        mlp(layer));
  }

  private Attention attention(int layer) {
    Sizes s = config.sizes();
    Projections inputs =
        config.wiring().fused()
            ? fused(layer, "self_attn.qkv_proj", s.query() + 2L * s.keyValue())
            : separate(layer, "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj");
    Optional<HeadNorms> headNorms =
        config.wiring().headNorms()
            ? Optional.of(
                new HeadNorms(norm(layer, "self_attn.q_norm"), norm(layer, "self_attn.k_norm")))
            : Optional.empty();
    return new Attention(
        inputs,
        headNorms,
        linear(layer, "self_attn.o_proj"),
        config.attention().get(layer).rule(),
        s.head(),
        config.rope(layer));
  }

  private GatedMlp mlp(int layer) {
    Projections inputs =
        config.wiring().fused()
            ? fused(layer, "mlp.gate_up_proj", 2L * config.sizes().feedForward())
            : separate(layer, "mlp.gate_proj", "mlp.up_proj");
    return new GatedMlp(inputs, linear(layer, "mlp.down_proj"), config.wiring().activation());
  }

  private Projections fused(int layer, String name, long width) {
    long tokens = fusedScratch.elements() / width;
    return new Projections.Fused(
        linear(layer, name), fusedScratch.prefix(tokens * width).reshape(tokens, width));
  }

  private Projections separate(int layer, String... names) {
    List<Projection> maps = new ArrayList<>();
    for (String name : names) {
      maps.add(linear(layer, name));
    }
    return new Projections.Separate(maps);
  }

  private Projection linear(int layer, String name) {
    return factory.linear(ModelTensors.module(layer, name));
  }

  private Norm norm(int layer, String name) {
    return norm(ModelTensors.module(layer, name + ".weight"));
  }

  private Norm norm(String name) {
    return factory.norm(name, config.normEpsilon()).withOffset(config.wiring().normOffset());
  }
}
