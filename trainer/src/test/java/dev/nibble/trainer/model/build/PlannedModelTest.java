package dev.nibble.trainer.model.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.adapters.TargetModules;
import dev.nibble.compute.kernels.DistantKernels;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.PlanningKernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.Decoder;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.optim.AdamW;
import dev.nibble.trainer.optim.GradientClip;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A plan has the groups and bytes of the real thing, on the host and at a distance. */
final class PlannedModelTest {
  @TempDir Path folder;

  private static Kernels cpu() {
    return KernelSets.require("cpu").open(KernelOptions.exact(0));
  }

  /** What a run holds before its first step. */
  private record Held(Map<String, Long> groups, long bytes, long onHost, Map<String, Long> asking) {
    static Held of(Kernels kernels, Path base, ModelOptions options) {
      try (Scope scope = Scope.open("run", kernels.memory())) {
        CausalLm model = ModelLoader.load(base, options, kernels, scope);
        AdamW optimizer = new AdamW(kernels, model.parameters(), AdamW.Settings.DEFAULT, scope);
        assertThat(optimizer.parameters().count()).isPositive();
        GradientClip clip = new GradientClip(kernels, 1, scope);
        assertThat(clip).isNotNull();
        Map<String, Long> groups = scope.groups();
        try (Decoder decoder = model.decoder(2, 8)) {
          assertThat(decoder.sequences()).isEqualTo(2);
          return new Held(groups, scope.bytes(), scope.hostBytes(), scope.groups());
        }
      }
    }
  }

  private static void assertPlanned(Kernels real, Path base, ModelOptions options) {
    Held held = Held.of(real, base, options);
    assertThat(Held.of(PlanningKernels.of(real), base, options)).isEqualTo(held);
    assertThat(held.groups()).containsKeys("activations", "adapters", "gradients", "optimizer");
    assertThat(held.asking()).containsKey("cache");
  }

  static Stream<Arguments> runs() {
    return DistantModelTest.runs()
        .filter(run -> ((ModelOptions) run.get()[1]).training() instanceof Training.Adapter);
  }

  @ParameterizedTest
  @MethodSource("runs")
  void anyFamilyWithAnyAdapter(TinyModel tiny, ModelOptions options) throws IOException {
    try (Kernels near = cpu();
        Kernels far = DistantKernels.ofReference(DType.BF16)) {
      Path base = DistantModelTest.initialised(tiny, near, folder.resolve("base"));
      assertPlanned(near, base, options);
      assertPlanned(far, base, options);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.nibble.trainer.model.build.DistantModelTest#golden")
  void goldenModels(String name) {
    Path base = Golden.model(name);
    var spec = PeftAdapter.open(Golden.adapter(name + "/lora")).spec();
    for (Checkpointing checkpointing : List.of(Checkpointing.FULL, Checkpointing.OFF)) {
      ModelOptions options =
          new ModelOptions(new Training.Adapter(spec, 3), Optional.empty(), 48, checkpointing, 0);
      try (Kernels kernels = cpu()) {
        assertPlanned(kernels, base, options);
      }
    }
  }

  @Test
  void aCheckpointInFourBits() {
    var spec = new LoraSpec(2, 4, 0, TargetModules.allLinear());
    ModelOptions options =
        new ModelOptions(new Training.Adapter(spec, 3), Optional.empty(), 48, Checkpointing.FULL);
    try (Kernels kernels = cpu()) {
      assertPlanned(kernels, Golden.bnb("checkpoint"), options);
    }
  }

  @Test
  void allWeights() throws IOException {
    ModelOptions options =
        new ModelOptions(new Training.AllWeights(), Optional.empty(), 48, Checkpointing.OFF);
    try (Kernels real = cpu()) {
      Kernels planning = PlanningKernels.of(real);
      Path base = TinyModel.GEMMA2.config(folder);
      Map<String, Long> planned;
      try (Scope scope = Scope.open("plan", planning.memory())) {
        ModelLoader.initialise(base, 7, options, planning, scope);
        planned = scope.groups();
      }
      try (Scope scope = Scope.open("run", real.memory())) {
        ModelLoader.initialise(base, 7, options, real, scope);
        assertThat(planned).isEqualTo(scope.groups()).containsKey("weights");
      }
    }
  }

  /** Weights that loading would refuse do not matter to a plan. */
  @Test
  void readsNoWeights() throws IOException {
    try (Kernels kernels = cpu()) {
      Path base = DistantModelTest.initialised(TinyModel.LLAMA, kernels, folder);
      Path file = base.resolve("model.safetensors");
      byte[] bytes = Files.readAllBytes(file);
      int header = 8 + (bytes[0] & 0xff) + ((bytes[1] & 0xff) << 8);
      Arrays.fill(bytes, header, bytes.length, (byte) 0xff); // NaN everywhere
      Files.write(file, bytes);
      ModelOptions options = (ModelOptions) runs().findFirst().orElseThrow().get()[1];
      Held planned = Held.of(PlanningKernels.of(kernels), base, options);
      assertThat(planned.bytes()).isPositive();
    }
  }
}
