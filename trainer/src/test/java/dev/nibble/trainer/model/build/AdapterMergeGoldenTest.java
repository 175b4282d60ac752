package dev.nibble.trainer.model.build;

import static dev.nibble.trainer.model.build.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.adapters.AdapterMerge;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Weights with their adapters merged into them, against PEFT's merge_and_unload. */
@Tag("golden")
final class AdapterMergeGoldenTest {

  static Stream<Arguments> adapters() {
    return ModelFixture.kernelSetNames()
        .flatMap(set ->
            Stream.of("llama", "qwen3", "phi3")
                .flatMap(model ->
                    Stream.of("lora", "rslora", "pattern", "dora")
                        .map(variant -> Arguments.of(set, model + "/" + variant))));
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void mergedWeights(String set, String variant) {
    try (SafetensorsFile golden = Golden.file(Golden.model(variant));
        ShardedSafetensors base = ShardedSafetensors.open(Golden.base(variant));
        AdapterMerge merge = AdapterMerge.open(Golden.adapter(variant));
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
          assertThat(merge.shape(tensor)).isEqualTo(weight.shape());
          merge.merge(tensor, weight, kernels);
        }
        assertClose(tensor, TensorValues.of(kernels, weight), golden.tensor(name).toFloats(), 1e-5);
      }
    }
  }
}
