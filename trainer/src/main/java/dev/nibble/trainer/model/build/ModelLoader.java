package dev.nibble.trainer.model.build;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.adapters.FrozenProjection;
import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.CheckpointReaders;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.NonFinite;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.WeightFormat;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelException;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.ModelTensors;
import dev.nibble.trainer.model.config.QuantizationConfig;
import dev.nibble.trainer.model.config.TensorSpec;
import dev.nibble.trainer.model.layers.DecoderModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;

/** Builds models from folders in Hugging Face's layout: config.json and safetensors files. */
public final class ModelLoader {
  private ModelLoader() {}

  /**
   * Reads a model. Tensors are read, and quantised, one at a time. A checkpoint that is quantised
   * already is taken as it is.
   *
   * @param scope owns all of the model's memory; must be of the kernels' memory
   * @throws ModelException when the folder is no model, the family is not supported, or tensors do
   *     not fit the config
   */
  public static CausalLm load(Path folder, ModelOptions options, Kernels kernels, Scope scope) {
    return load(folder, options, kernels, scope, (done, total) -> {});
  }

  /**
   * The same with word of how far it is.
   *
   * @param progress hears how many bytes of the checkpoint were read, and how many it has
   */
  public static CausalLm load(
      Path folder,
      ModelOptions options,
      Kernels kernels,
      Scope scope,
      BiConsumer<Long, Long> progress) {
    ModelConfig.of(folder);
    try (ShardedSafetensors checkpoint = ShardedSafetensors.open(folder)) {
      return load(folder, checkpoint, options, kernels, scope, progress);
    }
  }

  /**
   * The same from tensors that are open, and stay the caller's.
   *
   * @param folder with the config.json
   */
  public static CausalLm load(
      Path folder,
      StoredTensors checkpoint,
      ModelOptions options,
      Kernels kernels,
      Scope scope,
      BiConsumer<Long, Long> progress) {
    return load(folder, new CountedTensors(checkpoint, progress), options, kernels, scope);
  }

  private static CausalLm load(
      Path folder, StoredTensors checkpoint, ModelOptions options, Kernels kernels, Scope scope) {
    ModelConfig config = ModelConfig.of(folder, checkpoint);
    StoredWeights stored = CheckpointReaders.find(checkpoint);
    QuantizationConfig.check(folder, stored);
    CheckpointCheck.check(folder, checkpoint, stored, ModelTensors.of(config));
    if (options.training() instanceof Training.AllWeights && stored.format().isPresent()) {
      throw new ModelException(
          "%s is quantised (%s), and quantised weights cannot train: train an adapter on it"
              .formatted(folder, stored.format().get().describe()));
    }
    FrozenWeights linears =
        new FrozenWeights(checkpoint, stored, options.quantization(), kernels, scope);
    return build(config, checkpoint, linears::load, options, kernels, scope);
  }

  /**
   * A model to evaluate whose linear maps are as the checkpoint stores them. For kernels of host
   * memory they stay where the mapped checkpoint has them, so that it needs little memory of its
   * own.
   *
   * @param checkpoint of the folder, not quantised; must stay open as long as the model is used
   */
  public static CausalLm view(
      Path folder,
      ShardedSafetensors checkpoint,
      int maxBatchTokens,
      Kernels kernels,
      Scope scope) {
    return over(
        folder,
        checkpoint,
        asStored(checkpoint, kernels, scope),
        toEvaluate(maxBatchTokens),
        kernels,
        scope);
  }

  private static ModelOptions toEvaluate(int maxBatchTokens) {
    return new ModelOptions(
        new Training.Nothing(), Optional.empty(), maxBatchTokens, Checkpointing.FULL);
  }

  /**
   * Dense linear maps: where the mapped checkpoint has them, or a copy where kernels cannot read
   * that.
   */
  private static Function<String, FrozenMatrix> asStored(
      StoredTensors checkpoint, Kernels kernels, Scope scope) {
    if (kernels.memory().device() instanceof Device.Host) {
      return name -> new Dense(checkpoint.tensor(name));
    }
    return new FrozenWeights(
            checkpoint, CheckpointReaders.find(checkpoint), Optional.empty(), kernels, scope)
        ::load;
  }

  /**
   * The same model with something in place of each of its linear maps, to run as a whole or layer
   * by layer.
   *
   * @param around gives what stands in a linear map's place, by the path of its module
   */
  public static DecoderModel surrounded(
      Path folder,
      ShardedSafetensors checkpoint,
      int maxBatchTokens,
      BiFunction<String, FrozenProjection, Projection> around,
      Kernels kernels,
      Scope scope) {
    ModelConfig config = checked(folder, checkpoint);
    FrozenLayerFactory frozen =
        new FrozenLayerFactory(
            checkpoint, asStored(checkpoint, kernels, scope), maxBatchTokens, kernels, scope);
    Parameters none = new Parameters.Builder().allocate(scope, "adapters");
    return ModelBuilder.build(
        config,
        new SurroundedLayerFactory(frozen, around),
        none,
        toEvaluate(maxBatchTokens),
        kernels,
        scope);
  }

  private static ModelConfig checked(Path folder, StoredTensors checkpoint) {
    ModelConfig config = ModelConfig.of(folder, checkpoint);
    CheckpointCheck.check(
        folder, checkpoint, CheckpointReaders.find(checkpoint), ModelTensors.of(config));
    return config;
  }

  /**
   * A model over weights of its linear maps that are there already; the rest is read.
   *
   * @param checkpoint of the folder, not quantised; stays the caller's
   * @param linears gives the weight of a linear map by its tensor's name: of one inside the blocks,
   *     or of an output head of its own; must last as long as the model is used
   * @param options whose format is that of the weights given; an adapter among them must not change
   *     the base
   */
  public static CausalLm over(
      Path folder,
      StoredTensors checkpoint,
      Function<String, FrozenMatrix> linears,
      ModelOptions options,
      Kernels kernels,
      Scope scope) {
    if (options.training() instanceof Training.Adapter(AdapterSpec spec, long _)
        && spec.changesBase()) {
      throw new IllegalArgumentException(spec.describe() + " changes the weights it is given");
    }
    return build(checked(folder, checkpoint), checkpoint, linears, options, kernels, scope);
  }

  /** The model of a checked checkpoint; {@code linears} reads a frozen linear map's weight. */
  static DecoderModel build(
      ModelConfig config,
      StoredTensors checkpoint,
      Function<String, FrozenMatrix> linears,
      ModelOptions options,
      Kernels kernels,
      Scope scope) {
    List<TensorSpec> tensors = ModelTensors.of(config);
    FrozenLayerFactory frozen =
        new FrozenLayerFactory(checkpoint, linears, options.maxBatchTokens(), kernels, scope);
    return switch (options.training()) {
      case Training.Nothing none -> {
        Parameters parameters = new Parameters.Builder().allocate(scope, "adapters");
        yield ModelBuilder.build(config, frozen, parameters, options, kernels, scope);
      }
      case Training.Adapter(AdapterSpec spec, long seed) -> {
        DecoderModel model =
            adapted(spec, seed, true, config, checkpoint, linears, options, kernels, scope);
        if (spec.changesBase()) {
          model.parameters().keepStart(scope, kernels);
        }
        yield model;
      }
      case Training.FrozenAdapter(AdapterSpec spec, long seed, _) ->
          adapted(spec, seed, false, config, checkpoint, linears, options, kernels, scope);
      case Training.AllWeights all -> {
        Parameters parameters = TrainedLayerFactory.allocate(scope, tensors);
        copy(checkpoint, parameters, kernels);
        LayerFactory parts = new TrainedLayerFactory(parameters, tensors);
        yield ModelBuilder.build(config, parts, parameters, options, kernels, scope);
      }
    };
  }

  private static DecoderModel adapted(
      AdapterSpec spec,
      long seed,
      boolean train,
      ModelConfig config,
      StoredTensors checkpoint,
      Function<String, FrozenMatrix> linears,
      ModelOptions options,
      Kernels kernels,
      Scope scope) {
    AdaptedLayerFactory parts =
        new AdapterBuilder(spec, ModelTensors.of(config), options.maxBatchTokens())
            .build(
                config.family(),
                checkpoint,
                linears,
                options.quantization(),
                seed,
                train,
                kernels,
                scope);
    return ModelBuilder.build(config, parts, parts.parameters(), options, kernels, scope);
  }

  /**
   * A model with random weights, all of which train, from a folder that needs to hold only a
   * config.json.
   *
   * @param seed of the weights
   * @param options whose training must be {@link Training.AllWeights}
   */
  public static CausalLm initialise(
      Path folder, long seed, ModelOptions options, Kernels kernels, Scope scope) {
    if (!(options.training() instanceof Training.AllWeights)) {
      throw new IllegalArgumentException("random weights must train: " + options.training());
    }
    ModelConfig config = ModelConfig.of(folder);
    if (QuantizationConfig.summary(folder).isPresent()) {
      throw new ModelException(
          folder
              + " describes a quantised model, which cannot train; remove quantization_config from its config.json");
    }
    List<TensorSpec> tensors = ModelTensors.of(config);
    Parameters parameters = TrainedLayerFactory.allocate(scope, tensors);
    RandomInit.init(parameters, config, seed, kernels);
    LayerFactory parts = new TrainedLayerFactory(parameters, tensors);
    return ModelBuilder.build(config, parts, parameters, options, kernels, scope);
  }

  /**
   * Sets every weight of a model that trains as a whole to what {@link ModelWriter} saved; to the
   * bit, when it was saved in F32.
   *
   * @throws ModelException when the folder holds another model
   */
  public static void restore(Path folder, Parameters parameters, Kernels kernels) {
    try (ShardedSafetensors checkpoint = ShardedSafetensors.open(folder)) {
      ModelConfig config = ModelConfig.of(folder, checkpoint);
      StoredWeights stored = CheckpointReaders.find(checkpoint);
      CheckpointCheck.check(folder, checkpoint, stored, ModelTensors.of(config));
      for (Parameters.Parameter p : parameters.all()) {
        if (!checkpoint.has(p.name())
            || !checkpoint.tensor(p.name()).shape().equals(p.weight().shape())) {
          throw new ModelException(
              "%s holds another model: it has no %s %s"
                  .formatted(folder, p.name(), p.weight().shape()));
        }
      }
      copy(checkpoint, parameters, kernels);
    }
  }

  private static void copy(StoredTensors checkpoint, Parameters parameters, Kernels kernels) {
    for (Parameters.Parameter p : parameters.all()) {
      Tensor stored = checkpoint.tensor(p.name());
      NonFinite.refuse(stored, checkpoint.placeOf(p.name()), kernels);
      kernels.moving().copy(p.weight(), stored);
      checkpoint.unload(p.name());
    }
  }

  /**
   * The format of a model that is quantised already, by its config.json and its tensors.
   *
   * @throws ModelException when it was quantised by a method that is not read
   */
  public static Optional<WeightFormat> storedFormat(Path folder) {
    if (!Files.isRegularFile(folder.resolve("config.json"))
        || QuantizationConfig.summary(folder).isEmpty()) {
      return Optional.empty();
    }
    try (ShardedSafetensors checkpoint = ShardedSafetensors.open(folder)) {
      StoredWeights stored = CheckpointReaders.find(checkpoint);
      QuantizationConfig.check(folder, stored);
      return stored.format();
    }
  }

  /**
   * Names of the weights of the linear maps inside the blocks, in the order of the forward pass.
   *
   * @param checkpoint of the folder; checked against its config.json
   * @throws ModelException when it does not fit
   */
  public static List<String> linearWeights(Path folder, ShardedSafetensors checkpoint) {
    List<TensorSpec> tensors = ModelTensors.of(ModelConfig.of(folder, checkpoint));
    CheckpointCheck.check(folder, checkpoint, CheckpointReaders.find(checkpoint), tensors);
    return tensors.stream()
        .filter(t -> t.kind() == TensorSpec.Kind.LINEAR)
        .map(TensorSpec::name)
        .toList();
  }
}
