package dev.nibble.trainer.model.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.adapters.TargetModules;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Computing activations again gives the very same gradients, dropout included. */
@Tag("golden")
final class GradientCheckpointingTest {

  /** One of each kind of layer. */
  static Stream<Arguments> models() {
    return ModelFixture.kernelSetNames()
        .flatMap(set ->
            Stream.of("llama3", "qwen3", "phi3", "gemma2").map(name -> Arguments.of(set, name)));
  }

  @ParameterizedTest
  @MethodSource("models")
  void changesNoBit(String set, String name) {
    float[] with = gradients(set, name, Checkpointing.FULL);
    assertThat(with).isEqualTo(gradients(set, name, new Checkpointing(2)));
    assertThat(with).isEqualTo(gradients(set, name, Checkpointing.OFF));
    assertThat(with).isNotEqualTo(new float[with.length]);
  }

  private static float[] gradients(String set, String name, Checkpointing checkpointing) {
    Path folder = Golden.model(name);
    LoraSpec spec = new LoraSpec(4, 8, 0.3, TargetModules.allLinear());
    ModelOptions options =
        new ModelOptions(new Training.Adapter(spec, 5), Optional.empty(), 64, checkpointing);
    try (SafetensorsFile golden = Golden.file(folder);
        ModelFixture f = ModelFixture.load(set, folder, options)) {
      Batch batch = Golden.batch(golden);
      for (Parameter p : f.model.parameters().all()) {
        f.kernels.pointwise().add(p.weight(), p.weight(), filled(f, p)); // B is 0 at first
      }
      f.model.accumulate(batch, 42, f.objective);
      return TensorValues.of(f.kernels, f.model.parameters().gradients());
    }
  }

  private static Tensor filled(ModelFixture f, Parameter p) {
    Tensor t = f.scope.allocate("test/" + p.name(), p.weight().dtype(), p.weight().shape().dims());
    f.kernels.moving().fill(t, 0.01);
    return t;
  }
}
