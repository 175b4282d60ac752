package dev.nibble.trainer.export.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.export.ExportException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("golden")
class GgufLoraTest {
  private static final String Q = "base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight";

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "llama, llama",
    "llama3, llama",
    "mistral, llama",
    "qwen2, qwen2",
    "qwen3, qwen3",
    "phi3, phi3",
    "gemma2, gemma2",
    "gemma3, gemma3"
  })
  void everyFamily(String model, String architecture) {
    Path out = folder.resolve("lora.gguf");
    Path base = ModelFolders.golden(model);
    GgufReport report = GgufLora.write(base.resolve("lora"), base, out, GgufType.F32);
    GgufFile file = GgufFile.read(out);
    assertThat(file.metadata())
        .containsEntry("general.architecture", architecture)
        .containsEntry("general.type", "adapter")
        .containsEntry("adapter.type", "lora")
        .containsEntry("adapter.lora.alpha", 8f);
    try (SafetensorsFile adapter =
        Safetensors.open(base.resolve("lora/adapter_model.safetensors"))) {
      assertThat(file.tensors()).hasSize(adapter.names().size()).hasSize(report.tensors());
      String down = "model.layers.1.mlp.down_proj.lora_%s.weight";
      assertThat(file.tensor("blk.1.ffn_down.weight.lora_a").values())
          .containsExactly(adapter.tensor("base_model.model." + down.formatted("A")).toFloats());
      assertThat(file.tensor("blk.1.ffn_down.weight.lora_b").values())
          .containsExactly(adapter.tensor("base_model.model." + down.formatted("B")).toFloats());
    }
    assertThat(file.tensor("blk.1.ffn_down.weight.lora_a").sizes()).containsExactly(176L, 4L);
    assertThat(file.tensor("blk.1.ffn_down.weight.lora_b").sizes()).containsExactly(4L, 64L);
  }

  /** Row i of a head goes to 2i, row i + 8 to 2i + 1. */
  @Test
  void rowsOfLlamasQueriesChangePlaces() {
    Path base = ModelFolders.golden("llama");
    Path out = folder.resolve("lora.gguf");
    GgufLora.write(base.resolve("lora"), base, out, GgufType.F32);
    float[] values = GgufFile.read(out).tensor("blk.1.attn_q.weight.lora_b").values();
    try (SafetensorsFile adapter =
        Safetensors.open(base.resolve("lora/adapter_model.safetensors"))) {
      Tensor b = adapter.tensor(Q);
      for (int row = 0; row < 64; row++) {
        int from = row / 16 * 16 + row % 16 / 2 + row % 2 * 8;
        for (int k = 0; k < 4; k++) {
          assertThat(values[row * 4 + k]).isEqualTo(b.getFloat(from * 4L + k));
        }
      }
    }
  }

  /** llama.cpp scales by alpha / r = 2; a module that wants 6 has three times its B. */
  @Test
  void otherScalesAreFoldedIntoB() {
    Path base = ModelFolders.golden("qwen3");
    Path lora = base.resolve("lora");
    Path out = folder.resolve("lora.gguf");
    GgufLora.write(lora, base, out, GgufType.F32, 8, module -> module.endsWith("q_proj") ? 6 : 2);
    GgufFile file = GgufFile.read(out);
    try (SafetensorsFile adapter = Safetensors.open(lora.resolve("adapter_model.safetensors"))) {
      float[] q = adapter.tensor(Q).toFloats();
      for (int i = 0; i < q.length; i++) {
        q[i] *= 3;
      }
      assertThat(file.tensor("blk.1.attn_q.weight.lora_b").values()).containsExactly(q);
      assertThat(file.tensor("blk.1.attn_v.weight.lora_b").values())
          .containsExactly(adapter.tensor(Q.replace("q_proj", "v_proj")).toFloats());
    }
  }

  @Test
  void refusesWhatLlamaCppCannotLoad() {
    Path base = ModelFolders.golden("llama");
    Path out = folder.resolve("lora.gguf");
    assertThatThrownBy(
            () -> GgufLora.write(base.resolve("dora"), base, out, GgufType.F32, 8, module -> 2))
        .isInstanceOf(ExportException.class)
        .message()
        .contains("lora_magnitude_vector", "merged model instead");
    assertThatThrownBy(() -> GgufLora.write(base.resolve("lora"), base, out, GgufType.Q8_0))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("F32 or F16, not Q8_0");
    for (String kind : List.of("ia3", "vera")) {
      assertThatThrownBy(() -> GgufLora.write(base.resolve(kind), base, out, GgufType.F32))
          .isInstanceOf(ExportException.class)
          .hasMessageContaining("holds an adapter of type " + kind.toUpperCase(Locale.ROOT))
          .hasMessageContaining("llama.cpp applies LoRA adapters alone")
          .hasMessageContaining("merged model instead");
    }
    Path other = ModelFolders.golden("qwen3");
    assertThatThrownBy(() -> GgufLora.write(base.resolve("lora"), other, out, GgufType.F32))
        .isInstanceOf(ExportException.class)
        .message()
        .contains("q_proj", "[64, 4]", "asks for [128, 4]");
    assertThat(out).doesNotExist();
  }
}
