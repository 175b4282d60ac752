package dev.nibble.trainer.model.build;

import static dev.nibble.trainer.model.build.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.adapters.AdapterException;
import dev.nibble.adapters.AdapterMerge;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.Training;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Weights with their adapters merged into them, against PEFT's merge_and_unload. */
@Tag("golden")
final class AdapterMergeGoldenTest {

  /** An adapter whose file leaves out what merging needs. */
  private static final String INCOMPLETE = "phi3/vera";

  static Stream<Arguments> adapters() {
    return ModelFixture.kernelSetNames()
        .flatMap(set ->
            Stream.of("llama", "llama3", "qwen3", "phi3")
                .flatMap(model ->
                    Stream.of("lora", "rslora", "pattern", "dora", "ia3", "vera")
                        .map(variant -> model + "/" + variant))
                .filter(variant -> Files.isDirectory(Golden.model(variant)))
                .filter(variant -> !variant.equals(INCOMPLETE))
                .map(variant -> Arguments.of(set, variant)));
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void mergedWeights(String set, String variant) {
    assertMerged(set, variant, Golden.adapter(variant));
  }

  /** Saving stores the random matrices that PEFT's file leaves to their seed. */
  @Test
  void mergedWeightsOfAnAdapterThatWasLoadedAndSaved(@TempDir Path folder) {
    assertThatThrownBy(() -> AdapterMerge.open(Golden.adapter(INCOMPLETE)))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("does not hold base_model.vera_A")
        .hasMessageContaining("save_projection=True");
    PeftAdapter adapter = PeftAdapter.open(Golden.adapter(INCOMPLETE));
    Training training = new Training.Adapter(adapter.spec(), 0);
    try (ModelFixture f =
        ModelFixture.load("cpu", Golden.base(INCOMPLETE), ModelFixture.options(training))) {
      adapter.copyTo(f.model.parameters(), f.kernels);
      PeftAdapter.save(folder, adapter.spec(), "", f.model.parameters(), f.kernels);
    }
    assertMerged("cpu", INCOMPLETE, folder);
  }

  private static void assertMerged(String set, String variant, Path adapter) {
    try (SafetensorsFile golden = Golden.file(Golden.model(variant));
        ShardedSafetensors base = ShardedSafetensors.open(Golden.base(variant));
        AdapterMerge merge = AdapterMerge.open(adapter);
        Kernels kernels = ModelFixture.open(set);
        Scope scope = Scope.open("test", kernels.memory())) {
      assertThat(merge.tensors()).isNotEmpty();
      assertThat(merge.additions(base.names())).isEmpty();
      for (String name : golden.names()) {
        if (!name.startsWith("merged.")) {
          continue;
        }
        String tensor = name.substring("merged.".length());
        Tensor weight = scope.allocate(tensor, DType.F32, base.tensor(tensor).shape().dims());
        kernels.moving().copy(weight, base.tensor(tensor));
        if (merge.changes(tensor)) {
          merge.merge(tensor, weight, kernels);
        }
        assertClose(tensor, TensorValues.of(kernels, weight), golden.tensor(name).toFloats(), 1e-5);
      }
    }
  }
}
