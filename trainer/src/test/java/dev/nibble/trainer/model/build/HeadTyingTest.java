package dev.nibble.trainer.model.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.TargetModules;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ChangedTensors;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.ModelTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** As in transformers 5, the tensors say whether a head is tied, where config.json says it is. */
final class HeadTyingTest {
  private static final Batch BATCH = TinyModel.batch();

  @TempDir private Path folder;

  @BeforeEach
  void writeATiedBase() throws IOException {
    try (Kernels kernels = ModelFixture.open("cpu")) {
      DistantModelTest.initialised(TinyModel.LLAMA_TIED, kernels, folder);
    }
  }

  static Stream<Training> trainings() {
    LoraSpec lora = new LoraSpec(2, 4, 0, TargetModules.allLinear());
    LoraSpec onHead = lora.withTargets(TargetModules.named(List.of("q_proj", "lm_head")));
    return Stream.of(
        new Training.Nothing(),
        new Training.AllWeights(),
        new Training.Adapter(lora, 1),
        new Training.FrozenAdapter(onHead, 1));
  }

  private void addHead(float factor) throws IOException {
    ChangedTensors.copy(
        folder.resolve("model.safetensors"),
        ModelTensors.EMBEDDING,
        ModelTensors.HEAD,
        head -> scale(head, factor));
  }

  private static void scale(Tensor t, float factor) {
    for (long i = 0; i < t.elements(); i++) {
      t.setFloat(i, factor * t.getFloat(i));
    }
  }

  private float[][] logits(Training training) {
    try (ModelFixture f = ModelFixture.load("cpu", folder, ModelFixture.options(training))) {
      return f.model.logits(BATCH);
    }
  }

  @ParameterizedTest
  @MethodSource("trainings")
  void aHeadThatRepeatsTheEmbeddingsIsTied(Training training) throws IOException {
    float[][] before = logits(training);
    long weights = ModelConfig.of(folder).weights();
    addHead(1);
    assertThat(logits(training)).isEqualTo(before);
    assertThat(ModelConfig.of(folder).weights()).isEqualTo(weights);
  }

  @ParameterizedTest
  @MethodSource("trainings")
  void aHeadThatDiffersCounts(Training training) throws IOException {
    addHead(-2);
    float[][] given = logits(training);
    Path config = folder.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replaceAll("\"tie_word_embeddings\" ?: ?true", "\"tie_word_embeddings\": false"));
    assertThat(Files.readString(config)).contains("\"tie_word_embeddings\": false");
    assertThat(given).isEqualTo(logits(training));
  }

  @Test
  void itsWeightsCount() throws IOException {
    long before = ModelConfig.of(folder).weights();
    addHead(-2);
    assertThat(ModelConfig.of(folder).weights()).isEqualTo(before + 11 * 8);
  }
}
