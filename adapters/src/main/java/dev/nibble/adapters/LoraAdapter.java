package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.ParameterGroup;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.FrozenWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A LoRA or DoRA adapter in memory. */
final class LoraAdapter implements Adapter {
  private final LoraSpec spec;
  private final List<String> modules = new ArrayList<>();
  private final Parameters parameters;
  private final LoraScratch scratch;
  private final DropoutScratch dropout;
  private final Optional<DoraScratch> doraScratch;
  private final long seed;
  private final Kernels kernels;
  private final Scope scope;

  /** Declares A [r, I], B [O, r] and what else a spec asks for, for each target. */
  static void declare(Parameters.Builder builder, LoraSpec spec, List<AdapterTarget> targets) {
    for (AdapterTarget t : targets) {
      String module = t.module();
      long r = spec.ranks().rank(module);
      if (t.isEmbedding()) {
        refuseEmbedding(spec, t);
        builder.add(
            PeftNames.of(module, LoraNames.EMBEDDING_A),
            ParameterGroup.EMBEDDING,
            true,
            r,
            t.inputs());
        builder.add(
            PeftNames.of(module, LoraNames.EMBEDDING_B),
            ParameterGroup.EMBEDDING,
            true,
            t.outputs(),
            r);
        continue;
      }
      builder.add(LoraNames.a(module), true, r, t.inputs());
      builder.add(LoraNames.b(module), ParameterGroup.FAST, true, t.outputs(), r);
      if (spec.dora()) {
        builder.add(
            PeftNames.of(module, LoraNames.MAGNITUDE), ParameterGroup.FAST, true, t.outputs());
      }
      if (spec.bias()) {
        builder.add(
            PeftNames.of(module, LoraNames.B_BIAS), ParameterGroup.FAST, false, t.outputs());
      }
    }
  }

  private static void refuseEmbedding(LoraSpec spec, AdapterTarget t) {
    if (spec.dora()) {
      t.requireLinear("DoRA");
    } else if (spec.bias()) {
      t.requireLinear("lora_bias");
    } else if (spec.start().changesBase()) {
      t.requireLinear("init_lora_weights " + spec.start().written());
    }
  }

  LoraAdapter(
      LoraSpec spec,
      List<AdapterTarget> targets,
      Parameters parameters,
      long seed,
      Kernels kernels,
      Scope scope) {
    this.spec = spec;
    targets.forEach(t -> modules.add(t.module()));
    this.parameters = parameters;
    LoraInit.init(parameters, spec.start(), seed, kernels);
    Buffers buffers = Buffers.of(kernels, scope);
    this.scratch = LoraScratch.allocate(buffers, spec, targets, parameters.train());
    this.dropout = DropoutScratch.allocate(buffers, spec.dropout(), targets, parameters.train());
    this.doraScratch =
        spec.dora()
            ? Optional.of(DoraScratch.allocate(buffers, spec, targets, parameters.train()))
            : Optional.empty();
    this.seed = seed;
    this.kernels = kernels;
    this.scope = scope;
  }

  @Override
  public boolean adapts(String module) {
    return modules.contains(module);
  }

  @Override
  public FrozenMatrix load(String module, String tensor, FrozenWeights weights) {
    if (spec.start() instanceof LoraStart.Caldera) {
      return new CalderaStart(update(module), kernels).load(weights, tensor);
    }
    return spec.changesBase()
        ? new LoraDecomposition(spec.start(), update(module), seed, kernels).load(weights, tensor)
        : weights.load(tensor);
  }

  @Override
  public Projection on(String module, FrozenProjection base) {
    InputDropout drop = new InputDropout(spec.dropout(), modules.indexOf(module), dropout);
    if (doraScratch.isEmpty()) {
      return new LoraProjection(base, update(module), drop);
    }
    return new DoraProjection(
        base,
        update(module),
        drop,
        parameters.named(PeftNames.of(module, LoraNames.MAGNITUDE)),
        doraScratch.get(),
        kernels,
        scope);
  }

  @Override
  public EmbeddingUpdate onEmbedding(String module) {
    return new LoraEmbedding(
        parameters.named(PeftNames.of(module, LoraNames.EMBEDDING_A)),
        parameters.named(PeftNames.of(module, LoraNames.EMBEDDING_B)),
        spec.ranks().scale(module),
        scratch);
  }

  private LowRankUpdate update(String module) {
    return new LowRankUpdate(
        parameters.named(LoraNames.a(module)),
        parameters.named(LoraNames.b(module)),
        spec.bias()
            ? Optional.of(parameters.named(PeftNames.of(module, LoraNames.B_BIAS)))
            : Optional.empty(),
        spec.ranks().scale(module),
        scratch);
  }
}
