package dev.nibble.trainer.model.build;

import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.config.LayerPlan;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.ModelTensors;
import dev.nibble.trainer.model.layers.Attention;
import dev.nibble.trainer.model.layers.Block;
import dev.nibble.trainer.model.layers.DecoderModel;
import dev.nibble.trainer.model.layers.Embedding;
import dev.nibble.trainer.model.layers.FeedForward;
import dev.nibble.trainer.model.layers.GatedMlp;
import dev.nibble.trainer.model.layers.HeadNorms;
import dev.nibble.trainer.model.layers.LmHead;
import dev.nibble.trainer.model.layers.Norm;
import dev.nibble.trainer.model.layers.PreNormBlock;
import dev.nibble.trainer.model.layers.Projections;
import dev.nibble.trainer.model.layers.SandwichBlock;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

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
    Embedding table = factory.embedding(ModelTensors.EMBEDDING);
    Embedding embedding = config.scaledEmbedding() ? table.scaled() : table;
    List<Block> blocks = new ArrayList<>();
    config.layers().forEach(plan -> blocks.add(builder.block(plan)));
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
    long width =
        config.layers().stream()
            .flatMap(l -> Stream.of(l.attention().inputs(), inputs(l.feedForward())))
            .filter(LayerPlan.Inputs::isFused)
            .mapToLong(i -> i.matrices().getFirst().outputs())
            .max()
            .orElse(0);
    return buffers.activation("scratch/fused", tokens * width);
  }

  private static LayerPlan.Inputs inputs(LayerPlan.FeedForward plan) {
    return switch (plan) {
      case LayerPlan.GatedMlp mlp -> mlp.inputs();
    };
  }

  private Block block(LayerPlan plan) {
    Norm norm1 = norm(plan.attentionNorm());
    Attention attention = attention(plan);
    if (plan.attentionOutputNorm().isPresent() && plan.feedForwardOutputNorm().isPresent()) {
      return new SandwichBlock(
          norm1,
          attention,
          norm(plan.attentionOutputNorm().get()),
          norm(plan.feedForwardNorm()),
          feedForward(plan.feedForward()),
          norm(plan.feedForwardOutputNorm().get()));
    }
    return new PreNormBlock(
        norm1, attention, norm(plan.feedForwardNorm()), feedForward(plan.feedForward()));
  }

  private Attention attention(LayerPlan layer) {
    LayerPlan.Attention plan = layer.attention();
    return new Attention(
        projections(plan.inputs()),
        plan.headNorms().map(n -> new HeadNorms(norm(n.query()), norm(n.key()))),
        linear(plan.output()),
        plan.rule(),
        plan.headSize(),
        config.rope(layer));
  }

  private FeedForward feedForward(LayerPlan.FeedForward plan) {
    return switch (plan) {
      case LayerPlan.GatedMlp(var inputs, var down, var width, var activation) ->
          new GatedMlp(projections(inputs), linear(down), activation);
    };
  }

  private Projections projections(LayerPlan.Inputs plan) {
    if (!plan.isFused()) {
      return new Projections.Separate(plan.matrices().stream().map(this::linear).toList());
    }
    LayerPlan.Linear whole = plan.matrices().getFirst();
    long tokens = fusedScratch.elements() / whole.outputs();
    return new Projections.Fused(
        linear(whole),
        fusedScratch.prefix(tokens * whole.outputs()).reshape(tokens, whole.outputs()));
  }

  private Projection linear(LayerPlan.Linear plan) {
    return factory.linear(plan.module());
  }

  private Norm norm(LayerPlan.Norm plan) {
    return norm(plan.weight());
  }

  private Norm norm(String weight) {
    return factory.norm(weight, config.normEpsilon()).withOffset(config.normOffset());
  }
}
