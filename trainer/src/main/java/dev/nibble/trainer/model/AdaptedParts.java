package dev.nibble.trainer.model;

import dev.nibble.adapters.LoraProjection;
import dev.nibble.adapters.LoraScratch;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.PeftNames;
import dev.nibble.adapters.Projection;
import dev.nibble.compute.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Frozen parts of which some linear maps carry a LoRA adapter. */
final class AdaptedParts implements Parts {
  private final FrozenParts frozen;
  private final Parameters parameters;
  private final LoraSpec spec;
  private final LoraScratch scratch;
  private final List<String> targets;

  /** {@code targets}: the adapted modules. */
  AdaptedParts(
      FrozenParts frozen,
      Parameters parameters,
      LoraSpec spec,
      Set<String> targets,
      LoraScratch scratch) {
    this.frozen = frozen;
    this.parameters = parameters;
    this.spec = spec;
    this.targets = new ArrayList<>(targets);
    this.scratch = scratch;
  }

  /** A [r, I] and B [O, r] of each adapted module. */
  static Parameters allocate(
      Scope scope, List<TensorSpec> tensors, LoraSpec spec, Set<String> targets) {
    Parameters.Builder builder = new Parameters.Builder();
    for (TensorSpec t : tensors) {
      if (t.kind() == TensorSpec.Kind.LINEAR && targets.contains(t.module())) {
        builder.add(PeftNames.a(t.module()), true, spec.r(), t.shape().dim(1));
        builder.add(PeftNames.b(t.module()), true, t.shape().dim(0), spec.r());
      }
    }
    return builder.allocate(scope, "adapters");
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
    int place = targets.indexOf(module);
    if (place < 0) {
      return frozen.linear(module);
    }
    return new LoraProjection(
        frozen.linear(module),
        parameters.named(PeftNames.a(module)),
        parameters.named(PeftNames.b(module)),
        spec,
        place,
        scratch);
  }

  @Override
  public Projection head(String name) {
    return frozen.head(name);
  }
}
