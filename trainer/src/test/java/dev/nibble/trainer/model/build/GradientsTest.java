package dev.nibble.trainer.model.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.adapters.TargetModules;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.objective.DpoLoss;
import dev.nibble.trainer.objective.Objective;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Gradients of everything that trains, against differences of the loss. */
final class GradientsTest {
  private static final ModelOptions ALL = ModelFixture.options(new Training.AllWeights());

  static Stream<Arguments> models() {
    return ModelFixture.fastestKernelSet()
        .flatMap(set -> Stream.of(TinyModel.values()).map(m -> Arguments.of(set, m)));
  }

  @ParameterizedTest
  @MethodSource("models")
  void ofAllWeights(String set, TinyModel tiny, @TempDir Path folder) throws IOException {
    tiny.config(folder);
    try (Kernels kernels = ModelFixture.open(set);
        Scope scope = Scope.open("test", kernels.memory())) {
      CausalLm model = ModelLoader.initialise(folder, 7, ALL, kernels, scope);
      Objective objective = ModelFixture.nextToken(model, kernels, scope);
      model.accumulate(TinyModel.batch(), 1, objective);
      assertSlopes(model.parameters(), () -> model.evaluate(TinyModel.batch(), objective).sum());
    }
  }

  static Stream<Arguments> adapters() {
    LoraSpec plain = new LoraSpec(3, 6, 0.4, TargetModules.allLinear());
    List<AdapterSpec> others =
        List.of(
            plain.withBias(),
            plain.withTargets(TargetModules.named(List.of("q_proj", "embed_tokens", "lm_head"))),
            plain.withModulesToSave("lm_head", "norm", "down_proj"),
            plain.withTargets(TargetModules.named(List.of("k_proj", "down_proj"))),
            plain.withModulesToSave("input_layernorm"),
            plain.withModulesToSave("embed_tokens"),
            ModelFixture.ia3("q_proj", "down_proj"),
            ModelFixture.vera(0.4));
    return ModelFixture.fastestKernelSet()
        .flatMap(set ->
            Stream.concat(
                Stream.of(TinyModel.values()).map(tiny -> Arguments.of(set, tiny, plain)),
                others.stream().map(spec -> Arguments.of(set, TinyModel.LLAMA_TIED, spec))));
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void ofAnAdapterWithDropout(String set, TinyModel tiny, AdapterSpec spec, @TempDir Path folder)
      throws IOException {
    try (Kernels kernels = ModelFixture.open(set);
        Scope scope = Scope.open("test", kernels.memory())) {
      CausalLm model = adapted(tiny, spec, folder, kernels, scope);
      Objective objective = ModelFixture.nextToken(model, kernels, scope);
      model.accumulate(TinyModel.batch(), 11, objective);
      assertSlopes(
          model.parameters(), () -> model.accumulate(TinyModel.batch(), 11, objective).sum());
    }
  }

  /** Rows of a batch weigh unequally in it, and some less than nothing. */
  @ParameterizedTest
  @EnumSource
  void ofPreferences(TinyModel tiny, @TempDir Path folder) throws IOException {
    LoraSpec spec = new LoraSpec(3, 6, 0.4, TargetModules.allLinear());
    try (Kernels kernels = ModelFixture.open("cpu");
        Scope scope = Scope.open("test", kernels.memory())) {
      CausalLm model = adapted(tiny, spec, folder, kernels, scope);
      DpoLoss dpo = new DpoLoss(kernels, scope, model.maxBatchTokens(), 0.5);
      model.accumulate(TinyModel.batch(), 11, dpo);
      assertSlopes(model.parameters(), () -> model.accumulate(TinyModel.batch(), 11, dpo).sum());
    }
  }

  /** An adapter of random weights on a random model. */
  private static CausalLm adapted(
      TinyModel tiny, AdapterSpec spec, Path folder, Kernels kernels, Scope scope)
      throws IOException {
    tiny.config(folder);
    CausalLm base = ModelLoader.initialise(folder, 7, ALL, kernels, scope);
    ModelWriter.save(folder, folder, base.parameters(), DType.F32, kernels);
    ModelOptions options = ModelFixture.options(new Training.Adapter(spec, 5));
    CausalLm model = ModelLoader.load(folder, options, kernels, scope);
    Random random = new Random(9);
    for (Parameter p : model.parameters().all()) {
      for (int i = 0; i < p.weight().elements(); i++) {
        p.weight().setFloat(i, 0.1 * random.nextGaussian()); // B is 0 at first
      }
    }
    return model;
  }

  private static void assertSlopes(Parameters parameters, DoubleSupplier loss) {
    Random random = new Random(3);
    Map<String, float[]> gradients = new HashMap<>(); // measuring the loss may add to them
    parameters.all().forEach(p -> gradients.put(p.name(), p.gradient().toFloats()));
    for (Parameter p : parameters.all()) {
      float[] gradient = gradients.getOrDefault(p.name(), new float[0]);
      float[] direction = new float[gradient.length];
      double along = 0;
      double square = 0;
      for (int i = 0; i < direction.length; i++) {
        // mostly uphill, so that the slope is not small by chance
        direction[i] = gradient[i] + 0.1f * (float) random.nextGaussian();
        along += (double) direction[i] * gradient[i];
        square += (double) direction[i] * direction[i];
      }
      double expected = along / Math.sqrt(square);
      double slope = slope(p, direction, Math.sqrt(square), loss);
      assertThat(slope).as(p.name()).isCloseTo(expected, within(2e-3 + 5e-3 * expected));
    }
  }

  private static double slope(Parameter p, float[] direction, double length, DoubleSupplier loss) {
    float[] weight = p.weight().toFloats();
    double step = 1e-3;
    move(p, weight, direction, step / length);
    double above = loss.getAsDouble();
    move(p, weight, direction, -step / length);
    double below = loss.getAsDouble();
    p.weight().put(weight);
    return (above - below) / (2 * step);
  }

  private static void move(Parameter p, float[] weight, float[] direction, double step) {
    float[] moved = weight.clone();
    for (int i = 0; i < moved.length; i++) {
      moved[i] += (float) (step * direction[i]);
    }
    p.weight().put(moved);
  }
}
