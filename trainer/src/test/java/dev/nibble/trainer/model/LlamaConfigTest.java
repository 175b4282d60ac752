package dev.nibble.trainer.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LlamaConfigTest {
  @TempDir private Path folder;

  @Test
  void missingKeysHaveTheDefaultsOfTransformers() throws IOException {
    LlamaConfig c = read("{\"model_type\": \"llama\"}");
    assertThat(c)
        .isEqualTo(
            new LlamaConfig(
                32000,
                4096,
                11008,
                32,
                32,
                32,
                128,
                2048,
                1e-6,
                10000,
                new RopeScaling.None(),
                false,
                false,
                false,
                0.02));
  }

  @Test
  void readsRopeAsTransformers4And5WriteIt() throws IOException {
    LlamaConfig four =
        read(
            """
            {"model_type": "llama", "rope_theta": 500000.0, "rope_scaling": {"rope_type": "llama3",
             "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
             "original_max_position_embeddings": 8192}}
            """);
    LlamaConfig five =
        read(
            """
            {"model_type": "llama", "rope_parameters": {"rope_theta": 500000.0,
             "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
             "original_max_position_embeddings": 8192}}
            """);
    assertThat(four.ropeScaling()).isEqualTo(new RopeScaling.Llama3(8, 1, 4, 8192));
    assertThat(four.ropeTheta()).isEqualTo(500000);
    assertThat(five).isEqualTo(four);
  }

  @Test
  void readsTheLegacyNameOfTheRopeType() throws IOException {
    LlamaConfig c =
        read(
            "{\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}}");
    assertThat(c.ropeScaling()).isEqualTo(new RopeScaling.Linear(2));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{} | \"model_type\" is missing; supported: llama",
        "{\"model_type\": \"mamba\"} | \"model_type\" is \"mamba\"; supported: llama",
        "{\"model_type\": \"llama\", \"hidden_act\": \"gelu\"} | \"hidden_act\" is \"gelu\"; supported: silu",
        "{\"model_type\": \"llama\", \"pretraining_tp\": 2} | \"pretraining_tp\" is 2",
        "{\"model_type\": \"llama\", \"attention_dropout\": 0.1} | \"attention_dropout\" is 0.1",
        "{\"model_type\": \"llama\", \"sliding_window\": 4096} | \"sliding_window\" is 4096",
        "{\"model_type\": \"llama\", \"hidden_size\": \"64\"} | \"hidden_size\" is \"64\"; supported: a positive integer",
        "{\"model_type\": \"llama\", \"num_key_value_heads\": 5} | a divisor of num_attention_heads = 32",
        "{\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"yarn\"}} | \"rope_scaling.type\" is \"yarn\"; supported: default, linear, llama3",
        "{\"model_type\": \"llama\", \"rope_parameters\": {\"rope_type\": \"linear\"}} | \"rope_parameters.factor\" is missing",
        "[1] | does not hold a JSON object",
        "{\"model_type\" | is not valid JSON",
      })
  void saysWhatIsWrong(String json, String message) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("config.json")
        .hasMessageContaining(message);
  }

  private LlamaConfig read(String json) throws IOException {
    return LlamaConfig.read(Files.writeString(folder.resolve("config.json"), json));
  }
}
