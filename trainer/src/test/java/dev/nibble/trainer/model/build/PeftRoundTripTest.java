package dev.nibble.trainer.model.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.adapters.AdapterException;
import dev.nibble.adapters.AdapterSpec;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.adapters.TargetModules;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.trainer.model.Training;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("golden")
final class PeftRoundTripTest {
  private static final String WEIGHTS = "adapter_model.safetensors";
  private static final Path BASE = Golden.model("llama");

  static Stream<Arguments> adapters() {
    return ModelFixture.kernelSetNames()
        .flatMap(set -> Stream.of("lora", "ia3", "vera").map(name -> Arguments.of(set, name)));
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void whatWasLoadedIsSaved(String set, String name, @TempDir Path folder) {
    PeftAdapter adapter = PeftAdapter.open(BASE.resolve(name));
    try (ModelFixture f = fixture(set, adapter.spec())) {
      adapter.copyTo(f.model.parameters(), f.kernels);
      PeftAdapter.save(folder, adapter.spec(), "some/base", f.model.parameters(), f.kernels);
    }
    PeftAdapter again = PeftAdapter.open(folder);
    assertThat(again.baseModel()).isEqualTo("some/base");
    assertThat(again.spec().withTargets(adapter.spec().targets())).isEqualTo(adapter.spec());
    try (SafetensorsFile before = Safetensors.open(BASE.resolve(name).resolve(WEIGHTS));
        SafetensorsFile after = Safetensors.open(folder.resolve(WEIGHTS));
        ModelFixture f = fixture(set, again.spec())) {
      assertThat(after.metadata()).containsEntry("format", "pt");
      assertThat(after.names()).containsExactlyInAnyOrderElementsOf(before.names());
      for (String tensor : before.names()) {
        assertThat(after.tensor(tensor).toFloats())
            .as(tensor)
            .isEqualTo(before.tensor(tensor).toFloats());
      }
      again.copyTo(f.model.parameters(), f.kernels);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.nibble.trainer.model.build.ModelFixture#kernelSetNames")
  void namesEveryTensorThatDoesNotFit(String set) {
    PeftAdapter adapter = PeftAdapter.open(BASE.resolve("lora"));
    LoraSpec other = new LoraSpec(2, 8, 0, TargetModules.named(List.of("q_proj")));
    try (ModelFixture f = fixture(set, other)) {
      assertThatThrownBy(() -> adapter.copyTo(f.model.parameters(), f.kernels))
          .isInstanceOf(AdapterException.class)
          .hasMessageContaining(WEIGHTS)
          .hasMessageContaining(
              "layers.0.self_attn.q_proj.lora_A.weight is F32[4, 64], expected [2, 64]")
          .hasMessageContaining("layers.1.self_attn.q_proj.lora_B.weight is F32[64, 4]")
          .hasMessageContaining(
              "unexpected base_model.model.model.layers.1.mlp.up_proj.lora_B.weight");
    }
  }

  private static ModelFixture fixture(String set, AdapterSpec spec) {
    return ModelFixture.load(set, BASE, ModelFixture.options(new Training.Adapter(spec, 1)));
  }
}
