package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Pace;
import dev.nibble.adapters.PeftNames.Part;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.quant.FrozenWeight;
import dev.nibble.quant.FrozenWeights;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The adapter of one model: what trains in it, and the maps that carry it. */
public final class LoraAdapter {

  /**
   * A module that gets an update.
   *
   * @param module its full name
   * @param isTable whether it is looked up (token embeddings) instead of multiplied by
   * @param outputs O; of a table, C
   * @param inputs I; of a table, V
   * @param maxTokens the most rows at once
   */
  public record Target(String module, boolean isTable, long outputs, long inputs, long maxTokens) {}

  private final LoraSpec spec;
  private final Map<String, Target> targets = new LinkedHashMap<>();
  private final List<String> places = new ArrayList<>();
  private final Parameters parameters;
  private final LoraScratch scratch;
  private final Optional<DoraScratch> doraScratch;
  private final long seed;
  private final Kernels kernels;
  private final Scope scope;

  /** Adds A [r, I], B [O, r] and what else a spec asks for, for each target. */
  public static void declare(Parameters.Builder builder, LoraSpec spec, List<Target> targets) {
    for (Target t : targets) {
      long r = spec.ranks().rank(t.module());
      if (t.isTable()) {
        refuseTable(spec, t);
        builder.add(
            PeftNames.of(t.module(), Part.EMBEDDING_A), Pace.EMBEDDING, true, r, t.inputs());
        builder.add(
            PeftNames.of(t.module(), Part.EMBEDDING_B), Pace.EMBEDDING, true, t.outputs(), r);
        continue;
      }
      builder.add(PeftNames.a(t.module()), true, r, t.inputs());
      builder.add(PeftNames.b(t.module()), Pace.FAST, true, t.outputs(), r);
      if (spec.dora()) {
        builder.add(PeftNames.of(t.module(), Part.MAGNITUDE), Pace.FAST, true, t.outputs());
      }
      if (spec.bias()) {
        builder.add(PeftNames.of(t.module(), Part.B_BIAS), Pace.FAST, false, t.outputs());
      }
    }
  }

  private static void refuseTable(LoraSpec spec, Target t) {
    Optional<String> other =
        spec.dora()
            ? Optional.of("DoRA")
            : spec.bias()
                ? Optional.of("lora_bias")
                : Optional.of("init_lora_weights " + spec.start().written())
                    .filter(s -> spec.start().changesBase());
    if (other.isPresent()) {
      throw new AdapterException(
          "%s does not go with an adapter on embeddings: leave %s out of the target modules"
              .formatted(other.get(), t.module()));
    }
  }

  /**
   * Fills the parameters with their initial values and takes scratch memory.
   *
   * @param parameters hold what {@link #declare} added for the same spec and targets
   */
  public LoraAdapter(
      LoraSpec spec,
      List<Target> targets,
      Parameters parameters,
      long seed,
      Kernels kernels,
      Scope scope) {
    this.spec = spec;
    targets.forEach(t -> this.targets.put(t.module(), t));
    this.places.addAll(this.targets.keySet());
    this.parameters = parameters;
    LoraInit.init(parameters, spec.start(), seed, kernels);
    Buffers buffers = Buffers.of(kernels, scope);
    this.scratch = LoraScratch.allocate(buffers, spec, targets, parameters.train());
    this.doraScratch =
        spec.dora()
            ? Optional.of(DoraScratch.allocate(buffers, spec, targets, parameters.train()))
            : Optional.empty();
    this.seed = seed;
    this.kernels = kernels;
    this.scope = scope;
  }

  /** True when a module carries an update. */
  public boolean adapts(String module) {
    return targets.containsKey(module);
  }

  /**
   * Reads the weight of a module that {@link #adapts}, and takes initial values out of it. For a
   * {@link LoraStart} that changes the base.
   *
   * @param tensor the weight's name in the checkpoint
   */
  public FrozenWeight start(String module, String tensor, FrozenWeights weights) {
    return new BaseStart(spec.start(), update(module), seed, kernels).load(weights, tensor);
  }

  /** A frozen map with its update, for a module that {@link #adapts}. */
  public Projection on(String module, FrozenProjection base) {
    if (doraScratch.isEmpty()) {
      return new LoraProjection(base, update(module));
    }
    return new DoraProjection(
        base,
        update(module),
        parameters.named(PeftNames.of(module, Part.MAGNITUDE)),
        doraScratch.get(),
        kernels,
        scope);
  }

  /** The update of an embedding table that the adapter {@link #adapts}. */
  public LoraTable onTable(String module) {
    return new LoraTable(
        parameters.named(PeftNames.of(module, Part.EMBEDDING_A)),
        parameters.named(PeftNames.of(module, Part.EMBEDDING_B)),
        spec.ranks().scale(module),
        scratch);
  }

  private LowRank update(String module) {
    return new LowRank(
        parameters.named(PeftNames.a(module)),
        parameters.named(PeftNames.b(module)),
        spec.bias()
            ? Optional.of(parameters.named(PeftNames.of(module, Part.B_BIAS)))
            : Optional.empty(),
        spec.ranks().scale(module),
        spec.dropout(),
        places.indexOf(module),
        scratch);
  }
}
