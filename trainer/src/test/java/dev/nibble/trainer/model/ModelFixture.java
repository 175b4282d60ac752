package dev.nibble.trainer.model;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.quant.FourBitFormat;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** A model with the kernels and the scope that it lives in; closes both, which finds leaks. */
final class ModelFixture implements AutoCloseable {
  static final int MAX_TOKENS = 64;

  final Kernels kernels;
  final Scope scope;
  final DecoderModel model;

  private ModelFixture(Kernels kernels, Scope scope, DecoderModel model) {
    this.kernels = kernels;
    this.scope = scope;
    this.model = model;
  }

  /** Every kernel set on the class path, for parameterised tests. */
  static Stream<String> kernelSetNames() {
    return KernelSets.installed().stream().map(KernelSet::name);
  }

  /** The fastest set alone, for what tests a model more than its kernels. */
  static Stream<String> fastestKernelSet() {
    return Stream.of(KernelSets.choose(KernelSets.AUTO).name());
  }

  /** Opens a set by name; one that this machine cannot run is reported as an unmet assumption. */
  static Kernels open(String name) {
    KernelSet set =
        KernelSets.installed().stream()
            .filter(s -> s.name().equals(name))
            .findFirst()
            .orElseThrow();
    Optional<String> reason = set.unavailableBecause();
    assumeTrue(reason.isEmpty(), () -> name + ": " + reason.orElse(""));
    return set.open(0);
  }

  /** Builds a model in a scope of its own. */
  interface Build {
    CausalLm in(Kernels kernels, Scope scope);
  }

  static ModelFixture load(String set, Path folder, ModelOptions options) {
    return build(set, (kernels, scope) -> ModelLoader.load(folder, options, kernels, scope));
  }

  static ModelFixture build(String set, Build build) {
    Kernels kernels = open(set);
    Scope scope = Scope.open("test", kernels.memory(), Scope.UNLIMITED);
    try {
      return new ModelFixture(kernels, scope, (DecoderModel) build.in(kernels, scope));
    } catch (RuntimeException e) {
      scope.close();
      kernels.close();
      throw e;
    }
  }

  static ModelOptions options(Training training) {
    return new ModelOptions(training, Optional.empty(), MAX_TOKENS, true);
  }

  static ModelOptions options(Training training, FourBitFormat format) {
    return new ModelOptions(training, Optional.of(format), MAX_TOKENS, true);
  }

  @Override
  public void close() {
    scope.close();
    kernels.close();
  }
}
