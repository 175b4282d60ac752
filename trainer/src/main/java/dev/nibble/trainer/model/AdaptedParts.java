package dev.nibble.trainer.model;

import dev.nibble.adapters.LoraAdapter;
import dev.nibble.adapters.LoraAdapter.Target;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.ModelModules;
import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Frozen parts of which some linear maps carry a LoRA adapter. */
final class AdaptedParts implements Parts {
  private final FrozenParts frozen;
  private final Parameters parameters;
  private final LoraAdapter adapter;

  private AdaptedParts(FrozenParts frozen, Parameters parameters, LoraAdapter adapter) {
    this.frozen = frozen;
    this.parameters = parameters;
    this.adapter = adapter;
  }

  /** Takes memory for what trains, and fills it with initial values. */
  static AdaptedParts build(
      Training.Adapter training,
      String modelType,
      List<TensorSpec> tensors,
      FrozenParts frozen,
      ModelOptions options,
      Kernels kernels,
      Scope scope) {
    LoraSpec spec = training.spec();
    List<Target> linears = linears(tensors);
    ModelModules modules =
        new ModelModules(modelType, linears.stream().map(Target::module).toList(), List.of());
    Set<String> chosen = spec.targets().resolve(modules, spec.modulesToSave());
    List<Target> targets = new ArrayList<>(linears);
    targets.removeIf(t -> !chosen.contains(t.module()));
    Parameters.Builder builder = new Parameters.Builder();
    LoraAdapter.declare(builder, spec, targets);
    Parameters parameters = builder.allocate(scope, "adapters");
    LoraAdapter adapter =
        new LoraAdapter(
            spec, targets, parameters, training.seed(), options.maxBatchTokens(), kernels, scope);
    return new AdaptedParts(frozen, parameters, adapter);
  }

  private static List<Target> linears(List<TensorSpec> tensors) {
    return tensors.stream()
        .filter(t -> t.kind() == TensorSpec.Kind.LINEAR)
        .map(t -> new Target(t.module(), t.shape().dim(0), t.shape().dim(1)))
        .toList();
  }

  /** What trains. */
  Parameters parameters() {
    return parameters;
  }

  @Override
  public Embedding embedding(String name) {
    return frozen.embedding(name);
  }

  @Override
  public Norm norm(String name, double epsilon) {
    return frozen.norm(name, epsilon);
  }

  @Override
  public Projection linear(String module) {
    return adapter.adapts(module)
        ? adapter.on(module, frozen.linear(module))
        : frozen.linear(module);
  }

  @Override
  public Projection head(String name) {
    return frozen.head(name);
  }
}
