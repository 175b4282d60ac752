package dev.nibble.trainer.model.build;

import dev.nibble.adapters.Ia3Spec;
import dev.nibble.adapters.ModuleChoice;
import dev.nibble.adapters.TargetModules;
import dev.nibble.adapters.VeraSpec;
import dev.nibble.compute.kernels.DistantKernels;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.layers.DecoderModel;
import dev.nibble.trainer.objective.NextTokenLoss;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A model with the kernels and the scope that it lives in; closes both, which finds leaks. */
final class ModelFixture implements AutoCloseable {
  static final int MAX_TOKENS = 64;

  final Kernels kernels;
  final Scope scope;
  final DecoderModel model;
  final NextTokenLoss objective;

  private ModelFixture(Kernels kernels, Scope scope, DecoderModel model) {
    this.kernels = kernels;
    this.scope = scope;
    this.model = model;
    this.objective = nextToken(model, kernels, scope);
  }

  /** The CPU's kernels behind memory that Java cannot touch. */
  private static final String DISTANT = "distant";

  /** Every kernel set that this machine can run and a distant one, for parameterised tests. */
  static Stream<String> kernelSetNames() {
    List<String> sets =
        KernelSets.installed().stream()
            .filter(set -> set.unavailableBecause().isEmpty())
            .map(KernelSet::name)
            .toList();
    return Stream.concat(sets.stream(), Stream.of(DISTANT).filter(d -> sets.contains("cpu")));
  }

  /** The host's fastest set alone, for what tests a model more than its kernels. */
  static Stream<String> fastestKernelSet() {
    return Stream.of("cpu");
  }

  /** Opens a set by name. */
  static Kernels open(String name) {
    return name.equals(DISTANT)
        ? DistantKernels.of(open("cpu"))
        : KernelSets.require(name).open(KernelOptions.exact(0));
  }

  /** The objective of batches that the model takes. */
  static NextTokenLoss nextToken(CausalLm model, Kernels kernels, Scope scope) {
    return new NextTokenLoss(kernels, scope, model.maxBatchTokens());
  }

  /** Builds a model in a scope of its own. */
  interface Build {
    CausalLm in(Kernels kernels, Scope scope);
  }

  static ModelFixture load(String set, Path folder, ModelOptions options) {
    return build(set, (kernels, scope) -> ModelLoader.load(folder, options, kernels, scope));
  }

  static ModelFixture build(String set, Build build) {
    return build(open(set), build);
  }

  /** Takes over the kernels. */
  static ModelFixture build(Kernels kernels, Build build) {
    Scope scope = Scope.open("test", kernels.memory());
    try {
      return new ModelFixture(kernels, scope, (DecoderModel) build.in(kernels, scope));
    } catch (RuntimeException e) {
      scope.close();
      kernels.close();
      throw e;
    }
  }

  /** IA3 on all linear maps, which scales the inputs of some. */
  static Ia3Spec ia3(String... feedforward) {
    return new Ia3Spec(
        TargetModules.allLinear(),
        Optional.of(new ModuleChoice.Named(List.of(feedforward))),
        List.of());
  }

  /** VeRA of rank 5 on all linear maps. */
  static VeraSpec vera(double dropout) {
    return new VeraSpec(5, dropout, 0.5, 7, true, TargetModules.allLinear(), List.of());
  }

  static ModelOptions options(Training training) {
    return new ModelOptions(training, Optional.empty(), MAX_TOKENS, Checkpointing.FULL);
  }

  static ModelOptions options(Training training, FourBitFormat format) {
    return new ModelOptions(training, Optional.of(format), MAX_TOKENS, Checkpointing.FULL);
  }

  @Override
  public void close() {
    scope.close();
    kernels.close();
  }
}
