package dev.nibble.trainer.model.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.LoraStart;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.adapters.TargetModules;
import dev.nibble.compute.kernels.DistantKernels;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.Batch;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.objective.Objective;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Models in memory that Java cannot touch, as an accelerator's is. */
final class DistantModelTest {
  private static final LoraSpec SPEC = new LoraSpec(2, 4, 0.25, TargetModules.allLinear());
  private static final Optional<WeightFormat> NF4 =
      Optional.of(new FourBitFormat(FourBitFormat.QuantType.NF4, 64, true));

  @TempDir Path folder;

  private static Kernels cpu() {
    return KernelSets.require("cpu").open(KernelOptions.exact(0));
  }

  private static ModelOptions options(
      Training training, Optional<WeightFormat> format, Checkpointing checkpointing) {
    return new ModelOptions(training, format, 64, checkpointing, 0.5);
  }

  private static ModelOptions qlora(AdapterSpec spec) {
    return options(new Training.Adapter(spec, 3), NF4, Checkpointing.FULL);
  }

  /** A model with random weights, written by these kernels. */
  static Path initialised(TinyModel tiny, Kernels kernels, Path folder) throws IOException {
    tiny.config(Files.createDirectories(folder));
    try (Scope scope = Scope.open("base", kernels.memory())) {
      ModelOptions all = options(new Training.AllWeights(), Optional.empty(), Checkpointing.FULL);
      CausalLm model = ModelLoader.initialise(folder, 7, all, kernels, scope);
      ModelWriter.save(folder, folder, model.parameters(), DType.F32, kernels);
    }
    return folder;
  }

  static Stream<Arguments> runs() {
    Stream<Arguments> families =
        Stream.of(TinyModel.values()).map(tiny -> Arguments.of(tiny, qlora(SPEC)));
    Stream<Arguments> adapters =
        Stream.<AdapterSpec>of(
                SPEC.withDora(),
                SPEC.withBias(),
                SPEC.withTargets(TargetModules.named(List.of("embed_tokens", "q_proj", "lm_head"))),
                SPEC.withModulesToSave("embed_tokens", "lm_head", "norm"),
                SPEC.withStart(new LoraStart.Gaussian()),
                SPEC.withStart(new LoraStart.Orthogonal()),
                SPEC.withStart(new LoraStart.Pissa(OptionalInt.empty())),
                SPEC.withStart(new LoraStart.Pissa(OptionalInt.of(2))),
                SPEC.withStart(new LoraStart.Olora()),
                SPEC.withDora().withStart(new LoraStart.Loftq(2)),
                ModelFixture.ia3("q_proj", "down_proj"),
                ModelFixture.vera(0.25))
            .map(spec -> Arguments.of(TinyModel.LLAMA_TIED, qlora(spec)));
    Stream<Arguments> others =
        Stream.of(
                options(new Training.AllWeights(), Optional.empty(), Checkpointing.OFF),
                options(new Training.Adapter(SPEC, 3), Optional.empty(), Checkpointing.OFF))
            .map(o -> Arguments.of(TinyModel.LLAMA, o));
    return Stream.of(families, adapters, others).flatMap(s -> s);
  }

  @ParameterizedTest
  @MethodSource("runs")
  void givesWhatTheHostGivesToTheBit(TinyModel tiny, ModelOptions options) throws IOException {
    try (Kernels near = cpu();
        Kernels far = DistantKernels.of(cpu())) {
      Path base = initialised(tiny, near, folder.resolve("near"));
      Path again = initialised(tiny, far, folder.resolve("far"));
      assertThat(again.resolve("model.safetensors"))
          .hasSameBinaryContentAs(base.resolve("model.safetensors"));
      Batch batch = TinyModel.batch();
      Trace expected = Trace.of(near, base, options, batch, folder.resolve("near-out"));
      Trace given = Trace.of(far, again, options, batch, folder.resolve("far-out"));
      assertThat(given.exact()).isEqualTo(expected.exact());
    }
  }

  /** Losses in bfloat16 are within 1 % of those in float32 here, gradient norms within 15 %. */
  @ParameterizedTest
  @MethodSource("runs")
  void trainsInBfloat16(TinyModel tiny, ModelOptions options) throws IOException {
    try (Kernels f32 = DistantKernels.ofReference(DType.F32);
        Kernels bf16 = DistantKernels.ofReference(DType.BF16)) {
      Path base = initialised(tiny, f32, folder.resolve("base"));
      Batch batch = TinyModel.batch();
      Trace exact = Trace.of(f32, base, options, batch, folder.resolve("f32"));
      Trace rounded = Trace.of(bf16, base, options, batch, folder.resolve("bf16"));
      assertClose(rounded.losses(), exact.losses(), 0.01);
      assertClose(rounded.norms(), exact.norms(), 0.15);
      assertThat(rounded.losses()).isNotEqualTo(exact.losses());
      assertThat(rounded.losses().getLast()).isLessThan(rounded.losses().getFirst());
    }
  }

  private static void assertClose(List<Double> given, List<Double> expected, double relative) {
    assertThat(given).hasSameSizeAs(expected);
    for (int i = 0; i < given.size(); i++) {
      assertThat(given.get(i)).isCloseTo(expected.get(i), within(relative * expected.get(i)));
    }
  }

  static Stream<String> golden() {
    return Golden.models().stream();
  }

  @ParameterizedTest
  @MethodSource("golden")
  void goldenModelsGiveTheSameToTheBit(String name) throws IOException {
    AdapterSpec spec = PeftAdapter.open(Golden.adapter(name + "/lora")).spec();
    try (SafetensorsFile golden = Golden.file(Golden.model(name));
        Kernels near = cpu();
        Kernels far = DistantKernels.of(cpu())) {
      Batch batch = Golden.batch(golden);
      Path base = Golden.model(name);
      ModelOptions options =
          new ModelOptions(new Training.Adapter(spec, 3), NF4, 64, Checkpointing.FULL);
      Trace expected = Trace.of(near, base, options, batch, folder.resolve("near"));
      Trace given = Trace.of(far, base, options, batch, folder.resolve("far"));
      assertThat(given.exact()).isEqualTo(expected.exact());
    }
  }

  /** Once for the loss of a pass, however many layers and chunks of logits it has. */
  @Test
  void theHostWaitsOnceForAMicroBatch() throws IOException {
    try (DistantKernels far = DistantKernels.of(cpu());
        Scope scope = Scope.open("test", far.memory())) {
      Path base = initialised(TinyModel.LLAMA, far, folder);
      CausalLm model = ModelLoader.load(base, qlora(SPEC), far, scope);
      Objective objective = ModelFixture.nextToken(model, far, scope);
      long before = far.waits();
      for (int micro = 0; micro < 3; micro++) {
        model.accumulate(TinyModel.batch(), micro, objective);
      }
      assertThat(far.waits() - before).isEqualTo(3);
      model.evaluate(TinyModel.batch(), objective);
      assertThat(far.waits() - before).isEqualTo(4);
    }
  }
}
