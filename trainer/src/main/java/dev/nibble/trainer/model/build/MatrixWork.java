package dev.nibble.trainer.model.build;

import dev.nibble.adapters.LoraAdapter.Target;
import dev.nibble.adapters.LoraSpec;
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
import java.util.Set;

/**
 * Floating-point operations of the matrix products of a training step, as {@link DecoderModel} does
 * them: a multiplication and an addition are two. Of attention's scores the visible ones count.
 */
public final class MatrixWork {
  private final ModelConfig config;
  private final ModelOptions options;
  private final Map<String, Long> ranks = new HashMap<>(); // by module
  private final Set<String> trained = new HashSet<>(); // names of tensors
  private final boolean dora;

  /** The work of a model built so. */
  public MatrixWork(ModelShape shape, ModelOptions options) {
    this.config = shape.config();
    this.options = options;
    List<TensorSpec> tensors = ModelTensors.of(config);
    switch (options.training()) {
      case Training.Nothing n -> dora = false;
      case Training.FrozenAdapter f -> dora = false;
      case Training.AllWeights a -> {
        tensors.forEach(t -> trained.add(t.name()));
        dora = false;
      }
      case Training.Adapter(LoraSpec spec, long seed) -> {
        AdapterBuilder builder = new AdapterBuilder(spec, tensors, options.maxBatchTokens());
        trained.addAll(builder.whole());
        for (Target t : builder.targets(config.family(), trained)) {
          ranks.put(t.module(), (long) spec.ranks().rank(t.module()));
        }
        dora = spec.dora();
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
    double sum = map(name, module, outputs, inputs, forwards);
    boolean first = module.startsWith(FIRST + "self_attn.") && !module.endsWith(".o_proj");
    if (first && !firstInputTrains()) {
      sum -= 2 * inputs * (outputs + ranks.getOrDefault(module, 0L));
    }
    return sum;
  }

  /** As {@link DecoderModel} asks it, which else leaves out the gradient of that input. */
  private boolean firstInputTrains() {
    return trained.contains(ModelTensors.EMBEDDING)
        || trained.contains(FIRST + "input_layernorm.weight")
        || ranks.containsKey(AdapterBuilder.EMBEDDING_MODULE);
  }

  private double head() {
    // A tied head trains with the embeddings, but apart from them where an adapter trains them.
    boolean tied = config.tiedHead() && options.training() instanceof Training.AllWeights;
    return map(
        tied ? ModelTensors.EMBEDDING : ModelTensors.HEAD,
        AdapterBuilder.HEAD_MODULE,
        config.sizes().vocab(),
        config.sizes().hidden(),
        1);
  }

  /** Operations a token of a linear map [O, I] that goes forward so often and backward once. */
  private double map(String name, String module, double outputs, double inputs, double forwards) {
    double weight = 2 * outputs * inputs;
    double sum = (forwards + 1 + (trained.contains(name) ? 1 : 0)) * weight;
    Long rank = ranks.get(module);
    if (rank != null) {
      // Backward makes A x again, then the gradients of B, of A x, of A and of x.
      sum += 2 * rank * (forwards * (inputs + outputs) + 3 * inputs + 2 * outputs);
      if (dora) {
        sum += weight + 2 * rank * (inputs + outputs); // backward makes V x again
      }
    }
    return sum;
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
