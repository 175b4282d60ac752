package dev.nibble.trainer.model.build;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.adapters.AdapterTarget;
import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.data.Batch;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.config.LayerPlan;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.ModelTensors;
import dev.nibble.trainer.model.config.Part;
import dev.nibble.trainer.model.config.TensorSpec;
import dev.nibble.trainer.model.layers.DecoderModel;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Floating-point operations of the matrix products of a training step, as {@link DecoderModel} does
 * them: a multiplication and an addition are two. Of attention's scores the visible ones count.
 */
public final class MatrixWork {
  private final ModelConfig config;
  private final ModelOptions options;
  private final Map<String, AdapterTarget> adapted = new HashMap<>(); // by module
  private final Set<String> trained = new HashSet<>(); // names of tensors
  private final Optional<AdapterSpec> adapter;

  /** The work of a model built so. */
  public MatrixWork(ModelConfig config, ModelOptions options) {
    this.config = config;
    this.options = options;
    List<TensorSpec> tensors = ModelTensors.of(config);
    switch (options.training()) {
      case Training.Nothing n -> adapter = Optional.empty();
      case Training.FrozenAdapter f -> adapter = Optional.empty();
      case Training.AllWeights a -> {
        tensors.forEach(t -> trained.add(t.name()));
        adapter = Optional.empty();
      }
      case Training.Adapter(AdapterSpec spec, long seed) -> {
        AdapterBuilder builder = new AdapterBuilder(spec, tensors, options.maxBatchTokens());
        trained.addAll(builder.whole());
        for (AdapterTarget t : builder.targets(builder.modules(config.family()), trained)) {
          adapted.put(t.module(), t);
        }
        adapter = Optional.of(spec);
      }
    }
  }

  /** Of forward and backward over a batch. */
  public double of(Batch batch) {
    double tokens = batch.length();
    double sum = 0;
    for (LayerPlan layer : config.layers()) {
      for (LayerPlan.Linear map : layer.linears()) {
        sum += tokens * linear(layer, map);
      }
    }
    for (LayerPlan layer : config.layers()) {
      // Forward has two products, backward five: it makes the probabilities again.
      double products = (recomputes(layer) ? 4 : 2) + 5;
      LayerPlan.Attention attention = layer.attention();
      sum += products * 2 * attention.query() * visible(batch, attention.rule());
    }
    return sum + batch.supervisedTokens() * head();
  }

  /** Operations a token of one of a layer's linear maps. */
  private double linear(LayerPlan layer, LayerPlan.Linear map) {
    // A norm behind the last projection needs its output; without one, backward leaves it out.
    boolean leftOut = map.part() == Part.DOWN && layer.feedForwardOutputNorm().isEmpty();
    double forwards = recomputes(layer) && !leftOut ? 2 : 1;
    boolean first = layer.index() == 0 && layer.attention().inputs().matrices().contains(map);
    return map(
        map.weight(),
        map.module(),
        map.outputs(),
        map.inputs(),
        forwards,
        !first || firstInputTrains());
  }

  /** As {@link DecoderModel} asks it, which else leaves out the gradient of that input. */
  private boolean firstInputTrains() {
    return trained.contains(ModelTensors.EMBEDDING)
        || trained.contains(config.layers().getFirst().attentionNorm().weight())
        || adapted.containsKey(AdapterBuilder.EMBEDDING_MODULE);
  }

  private double head() {
    // A tied head trains with the embeddings, but apart from them where an adapter trains them.
    boolean tied = config.tiedHead() && options.training() instanceof Training.AllWeights;
    return map(
        tied ? ModelTensors.EMBEDDING : ModelTensors.HEAD,
        AdapterBuilder.HEAD_MODULE,
        config.sizes().vocab(),
        config.sizes().hidden(),
        1,
        true);
  }

  /**
   * Operations a token of a linear map [O, I] that goes forward so often and backward once.
   *
   * @param inputGradient whether backward gives the gradient of its input
   */
  private double map(
      String name,
      String module,
      double outputs,
      double inputs,
      double forwards,
      boolean inputGradient) {
    double products = forwards + (inputGradient ? 1 : 0) + (trained.contains(name) ? 1 : 0);
    AdapterTarget target = adapted.get(module);
    double update =
        target == null ? 0 : adapter.orElseThrow().operations(target, forwards, inputGradient);
    return products * 2 * outputs * inputs + update;
  }

  /** True when backward computes a layer's forward again. */
  private boolean recomputes(LayerPlan layer) {
    return options.checkpointing().recomputes(layer.index(), config.layers().size());
  }

  /** Pairs of a query and a key that it sees. */
  private static double visible(Batch batch, AttentionRule rule) {
    double pairs = 0;
    for (int s = 0; s < batch.samples(); s++) {
      double length = batch.starts()[s + 1] - batch.starts()[s];
      double most = rule.window() == 0 ? length : Math.min(rule.window(), length);
      pairs += rule.isCausal() ? most * (most + 1) / 2 + (length - most) * most : length * length;
    }
    return pairs;
  }
}
