package dev.nibble.trainer.model.build;

import dev.nibble.adapters.Adapter;
import dev.nibble.adapters.AdapterSpec;
import dev.nibble.adapters.AdapterTarget;
import dev.nibble.adapters.ModelModules;
import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Parameters.ParameterGroup;
import dev.nibble.adapters.PeftNames;
import dev.nibble.adapters.WholeModules;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.NonFinite;
import dev.nibble.quant.WeightFormat;
import dev.nibble.trainer.model.ModelException;
import dev.nibble.trainer.model.config.ModelTensors;
import dev.nibble.trainer.model.config.Part;
import dev.nibble.trainer.model.config.TensorSpec;
import dev.nibble.trainer.model.config.TensorSpec.Kind;
import dev.nibble.trainer.model.layers.LmHead;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Finds what an adapter is on in a model, and takes memory for it. */
final class AdapterBuilder {
  static final String HEAD = ModelTensors.HEAD;
  static final String HEAD_MODULE = TensorSpec.module(HEAD);
  static final String EMBEDDING_MODULE = TensorSpec.module(ModelTensors.EMBEDDING);

  private final AdapterSpec spec;
  private final List<TensorSpec> tensors;
  private final TensorSpec embedding;
  private final boolean isTied;
  private final int maxTokens;

  /**
   * A builder.
   *
   * @param tensors of the checkpoint
   * @param maxTokens the most tokens of a batch
   */
  AdapterBuilder(AdapterSpec spec, List<TensorSpec> tensors, int maxTokens) {
    this.spec = spec;
    this.embedding =
        tensors.stream().filter(t -> t.kind() == Kind.EMBEDDING).findFirst().orElseThrow();
    this.tensors = new ArrayList<>(tensors);
    this.isTied = tensors.stream().noneMatch(t -> t.kind() == Kind.HEAD);
    if (isTied) {
      this.tensors.add(new TensorSpec(HEAD, embedding.shape(), Part.HEAD)); // tied, yet a module
    }
    this.maxTokens = maxTokens;
  }

  /**
   * The parts of the model, the adapter filled with its initial values.
   *
   * @param train whether the adapter trains
   */
  AdaptedLayerFactory build(
      String modelType,
      StoredTensors checkpoint,
      Function<String, FrozenMatrix> linears,
      Optional<WeightFormat> format,
      long seed,
      boolean train,
      Kernels kernels,
      Scope scope) {
    Set<String> whole = whole();
    ModelModules modules = modules(modelType);
    List<AdapterTarget> targets = targets(modules, whole);
    if (train) {
      spec.targets().requireUse(modules);
      spec.checkTrainable(targets);
    }
    boolean head = targets.stream().anyMatch(t -> t.module().equals(HEAD_MODULE));
    spec.checkBase(head, isTied, format.isPresent());
    Parameters.Builder builder = new Parameters.Builder();
    spec.declare(builder, targets);
    for (TensorSpec t : tensors) {
      if (whole.contains(t.name()) && t.kind() == Kind.EMBEDDING) {
        builder.addEmbedding(PeftNames.whole(t.name()), t.decays(), t.shape().dims());
      } else if (whole.contains(t.name())) {
        ParameterGroup group = t.shape().rank() == 1 ? ParameterGroup.FAST : ParameterGroup.NORMAL;
        builder.add(PeftNames.whole(t.name()), group, t.decays(), t.shape().dims());
      }
    }
    Parameters parameters =
        train ? builder.allocate(scope, "adapters") : builder.allocateFrozen(scope, "adapters");
    for (String name : whole) {
      copyWhole(parameters.named(PeftNames.whole(name)).weight(), name, checkpoint, kernels);
    }
    Adapter adapter = spec.build(targets, parameters, seed, kernels, scope);
    TrainedLayerFactory trained = new TrainedLayerFactory(parameters, tensors, PeftNames::whole);
    Function<String, FrozenMatrix> started =
        spec.changesBase()
            ? started(adapter, linears, new FrozenWeights(checkpoint, format, kernels, scope))
            : linears;
    FrozenLayerFactory frozen =
        new FrozenLayerFactory(checkpoint, started, maxTokens, kernels, scope);
    return new AdaptedLayerFactory(frozen, parameters, adapter, whole, trained);
  }

  /** Adapted weights give part of themselves to the adapter; others are read as they are. */
  private static Function<String, FrozenMatrix> started(
      Adapter adapter, Function<String, FrozenMatrix> linears, FrozenWeights weights) {
    return name -> {
      String module = TensorSpec.module(name);
      return adapter.adapts(module) ? adapter.load(module, name, weights) : linears.apply(name);
    };
  }

  private void copyWhole(Tensor to, String name, StoredTensors checkpoint, Kernels kernels) {
    Tensor stored = checkpoint.tensor(checkpoint.has(name) ? name : embedding.name());
    if (!stored.dtype().isFloating() || !stored.shape().equals(to.shape())) {
      throw new ModelException(
          "modules_to_save: %s is %s%s in the checkpoint; only a weight that is not quantised can train as a whole"
              .formatted(name, stored.dtype(), stored.shape()));
    }
    NonFinite.refuse(stored, checkpoint.placeOf(stored.name()), kernels);
    kernels.moving().copy(to, stored);
    checkpoint.unload(stored.name());
  }

  /** The modules that can carry an adapter. */
  ModelModules modules(String modelType) {
    List<String> tables = new ArrayList<>(modules(Kind.EMBEDDING));
    tables.addAll(modules(Kind.HEAD));
    return new ModelModules(modelType, modules(Kind.LINEAR), tables);
  }

  /** The modules that carry an adapter; {@code whole}: tensors that train as a whole. */
  List<AdapterTarget> targets(ModelModules modules, Set<String> whole) {
    Set<String> chosen = spec.targets().resolve(modules, spec.modulesToSave());
    List<AdapterTarget> targets = new ArrayList<>();
    for (TensorSpec t : tensors) {
      boolean weight = t.kind() == Kind.LINEAR || isTable(t);
      if (weight && chosen.contains(t.module()) && !whole.contains(t.name())) {
        targets.add(target(t));
      }
    }
    return targets;
  }

  private List<String> modules(Kind kind) {
    return tensors.stream().filter(t -> t.kind() == kind).map(TensorSpec::module).toList();
  }

  /** Names of the tensors that train as a whole. */
  Set<String> whole() {
    return WholeModules.tensors(
        spec.modulesToSave(), tensors.stream().map(TensorSpec::name).toList());
  }

  private static boolean isTable(TensorSpec t) {
    return t.kind() == Kind.EMBEDDING || t.kind() == Kind.HEAD;
  }

  private boolean hasBias(String module) {
    return tensors.stream().anyMatch(t -> t.isBias() && t.module().equals(module));
  }

  private AdapterTarget target(TensorSpec t) {
    long rows = t.shape().dim(0);
    long cols = t.shape().dim(1);
    return switch (t.kind()) {
      case EMBEDDING -> new AdapterTarget(t.module(), true, cols, rows, maxTokens);
      case HEAD -> new AdapterTarget(t.module(), false, rows, cols, LmHead.chunk(maxTokens));
      default -> new AdapterTarget(t.module(), false, rows, cols, maxTokens, hasBias(t.module()));
    };
  }
}
