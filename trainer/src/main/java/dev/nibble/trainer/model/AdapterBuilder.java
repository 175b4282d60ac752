package dev.nibble.trainer.model;

import dev.nibble.adapters.LoraAdapter;
import dev.nibble.adapters.LoraAdapter.Target;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.ModelModules;
import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Parameters.Pace;
import dev.nibble.adapters.PeftNames;
import dev.nibble.adapters.WholeModules;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.TensorSpec.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Finds what an adapter is on in a model, and takes memory for it. */
final class AdapterBuilder {
  static final String HEAD = LlamaTensors.HEAD;
  static final String HEAD_MODULE = HEAD.substring(0, HEAD.lastIndexOf('.'));

  private final LoraSpec spec;
  private final List<TensorSpec> tensors;
  private final TensorSpec embedding;
  private final int maxTokens;

  /**
   * A builder.
   *
   * @param tensors of the checkpoint
   * @param maxTokens the most tokens of a batch
   */
  AdapterBuilder(LoraSpec spec, List<TensorSpec> tensors, int maxTokens) {
    this.spec = spec;
    this.embedding =
        tensors.stream().filter(t -> t.kind() == Kind.EMBEDDING).findFirst().orElseThrow();
    this.tensors = new ArrayList<>(tensors);
    if (tensors.stream().noneMatch(t -> t.kind() == Kind.HEAD)) {
      this.tensors.add(new TensorSpec(HEAD, embedding.shape(), Kind.HEAD)); // tied, yet a module
    }
    this.maxTokens = maxTokens;
  }

  /** The parts of the model, what trains filled with its initial values. */
  AdaptedParts build(
      String modelType,
      FrozenParts frozen,
      ShardedSafetensors checkpoint,
      long seed,
      Kernels kernels,
      Scope scope) {
    Set<String> whole =
        WholeModules.tensors(spec.modulesToSave(), tensors.stream().map(TensorSpec::name).toList());
    List<Target> targets = targets(modelType, whole);
    Parameters.Builder builder = new Parameters.Builder();
    LoraAdapter.declare(builder, spec, targets);
    for (TensorSpec t : tensors) {
      if (whole.contains(t.name())) {
        Pace pace = t.shape().rank() == 1 ? Pace.FAST : Pace.NORMAL;
        builder.add(PeftNames.whole(t.name()), pace, t.decays(), t.shape().dims());
      }
    }
    Parameters parameters = builder.allocate(scope, "adapters");
    for (String name : whole) {
      Tensor stored = checkpoint.tensor(checkpoint.has(name) ? name : embedding.name());
      kernels.copy(parameters.named(PeftNames.whole(name)).weight(), stored);
    }
    LoraAdapter adapter = new LoraAdapter(spec, targets, parameters, seed, kernels, scope);
    TrainedParts trained = new TrainedParts(parameters, tensors, PeftNames::whole);
    return new AdaptedParts(frozen, parameters, adapter, whole, trained);
  }

  private List<Target> targets(String modelType, Set<String> whole) {
    List<String> linears = modules(Kind.LINEAR);
    List<String> tables = new ArrayList<>(modules(Kind.EMBEDDING));
    tables.addAll(modules(Kind.HEAD));
    Set<String> chosen =
        spec.targets().resolve(new ModelModules(modelType, linears, tables), spec.modulesToSave());
    List<Target> targets = new ArrayList<>();
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

  private static boolean isTable(TensorSpec t) {
    return t.kind() == Kind.EMBEDDING || t.kind() == Kind.HEAD;
  }

  private Target target(TensorSpec t) {
    long rows = t.shape().dim(0);
    long cols = t.shape().dim(1);
    return switch (t.kind()) {
      case EMBEDDING -> new Target(t.module(), true, cols, rows, maxTokens);
      case HEAD -> new Target(t.module(), false, rows, cols, LmHead.chunk(maxTokens));
      default -> new Target(t.module(), false, rows, cols, maxTokens);
    };
  }
}
