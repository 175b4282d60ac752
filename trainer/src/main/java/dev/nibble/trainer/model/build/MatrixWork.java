package dev.nibble.trainer.model.build;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.adapters.AdapterTarget;
import dev.nibble.data.Batch;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.ModelShape;
import dev.nibble.trainer.model.config.ModelTensors;
import dev.nibble.trainer.model.config.TensorSpec;
import dev.nibble.trainer.model.config.TensorSpec.Kind;
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
  public MatrixWork(ModelShape shape, ModelOptions options) {
    this.config = shape.config();
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
        for (AdapterTarget t : builder.targets(config.family(), trained)) {
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
    for (TensorSpec t : ModelTensors.of(config)) {
      if (t.kind() == Kind.LINEAR) {
        double outputs = t.shape().dim(0);
        double inputs = t.shape().dim(1);
        sum += tokens * linear(t.name(), t.module(), outputs, inputs);
      }
    }
    for (int l = 0; l < config.sizes().layers(); l++) {
      // Forward has two products, backward five: it makes the probabilities again.
      double products = (recomputes(l) ? 4 : 2) + 5;
      sum += products * 2 * config.sizes().query() * visible(batch, window(l));
    }
    return sum + batch.supervisedTokens() * head();
  }

  private static final String LAYERS = "model.layers.";
  private static final String FIRST = LAYERS + "0.";

  private double linear(String name, String module, double outputs, double inputs) {
    int layer = Integer.parseInt(module.substring(LAYERS.length()).split("\\.", 2)[0]);
    boolean last = module.endsWith(".down_proj") && !config.wiring().postNorms();
    double forwards = recomputes(layer) && !last ? 2 : 1;
    boolean first = module.startsWith(FIRST + "self_attn.") && !module.endsWith(".o_proj");
    return map(name, module, outputs, inputs, forwards, !first || firstInputTrains());
  }

  /** As {@link DecoderModel} asks it, which else leaves out the gradient of that input. */
  private boolean firstInputTrains() {
    return trained.contains(ModelTensors.EMBEDDING)
        || trained.contains(FIRST + "input_layernorm.weight")
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
  private boolean recomputes(int layer) {
    return options.checkpointing().recomputes(layer, config.sizes().layers());
  }

  private int window(int layer) {
    return config.attention().get(layer).rule().window();
  }

  /** Pairs of a query and a key that it sees. */
  private static double visible(Batch batch, int window) {
    double pairs = 0;
    for (int s = 0; s < batch.samples(); s++) {
      double length = batch.starts()[s + 1] - batch.starts()[s];
      double most = window == 0 ? length : Math.min(window, length);
      pairs += most * (most + 1) / 2 + (length - most) * most;
    }
    return pairs;
  }
}
