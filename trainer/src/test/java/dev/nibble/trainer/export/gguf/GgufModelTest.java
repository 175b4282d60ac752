package dev.nibble.trainer.export.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.export.TensorSource;
import dev.nibble.trainer.model.ModelException;
import dev.nibble.trainer.model.config.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

/** The golden models in GGUF; llama.cpp itself reads others of the same families in CI. */
class GgufModelTest {
  /** Parts of names, in transformers and in GGUF. */
  private static final Map<String, String> PARTS =
      Map.ofEntries(
          Map.entry("input_layernorm", "attn_norm"),
          Map.entry("self_attn.q_proj", "attn_q"),
          Map.entry("self_attn.k_proj", "attn_k"),
          Map.entry("self_attn.v_proj", "attn_v"),
          Map.entry("self_attn.qkv_proj", "attn_qkv"),
          Map.entry("self_attn.o_proj", "attn_output"),
          Map.entry("self_attn.q_norm", "attn_q_norm"),
          Map.entry("self_attn.k_norm", "attn_k_norm"),
          Map.entry("mlp.gate_proj", "ffn_gate"),
          Map.entry("mlp.up_proj", "ffn_up"),
          Map.entry("mlp.gate_up_proj", "ffn_up"),
          Map.entry("mlp.down_proj", "ffn_down"),
          Map.entry("pre_feedforward_layernorm", "ffn_norm"),
          Map.entry("post_feedforward_layernorm", "post_ffw_norm"));

  @TempDir private Path folder;

  private static String ggufName(String name, boolean gemma) {
    if (!name.startsWith("model.layers.")) {
      return switch (name) {
        case "model.embed_tokens.weight" -> "token_embd.weight";
        case "model.norm.weight" -> "output_norm.weight";
        case "lm_head.weight" -> "output.weight";
        default -> throw new IllegalStateException(name);
      };
    }
    String[] layer = name.substring("model.layers.".length()).split("\\.", 2);
    int end = layer[1].lastIndexOf('.');
    String part = layer[1].substring(0, end);
    String ours =
        part.equals("post_attention_layernorm")
            ? gemma ? "post_attention_norm" : "ffn_norm"
            : PARTS.get(part);
    return "blk." + layer[0] + "." + ours + layer[1].substring(end);
  }

  /** The values that GGUF should hold, by the formulas and not by the code under test. */
  private static float[] expected(Tensor t, String model, int headSize) {
    float[] from = t.toFloats();
    boolean rotated = t.name().contains("q_proj") || t.name().contains("k_proj");
    if ((model.startsWith("llama") || model.equals("mistral")) && rotated) {
      int columns = (int) (t.elements() / t.dim(0));
      float[] to = new float[from.length];
      for (int i = 0; i < from.length; i++) {
        int row = i / columns % headSize;
        int source = row / 2 + (row % 2) * headSize / 2;
        to[i] = from[i + (source - row) * columns];
      }
      return to;
    }
    if (model.startsWith("gemma") && t.name().endsWith("norm.weight")) {
      for (int i = 0; i < from.length; i++) {
        from[i] += 1;
      }
    }
    return from;
  }

  @Tag("golden")
  @ParameterizedTest
  @CsvSource({
    "llama, 16, 0",
    "llama3, 24, 1",
    "mistral, 16, 0",
    "qwen2, 16, 0",
    "qwen3, 32, 0",
    "phi3, 16, 0",
    "phi3_longrope, 16, 2",
    "gemma2, 16, 0",
    "gemma3, 16, 0"
  })
  void holdsEveryTensor(String model, int headSize, int extra) throws IOException {
    Path out = folder.resolve("model.gguf");
    ModelFolders.copy(model, folder, config -> {});
    GgufReport report = ModelFolders.export(model, folder, out, GgufType.F32);
    GgufFile file = GgufFile.read(out);
    assertThat(out).hasSize(report.bytes());
    try (SafetensorsFile weights =
        Safetensors.open(ModelFolders.golden(model).resolve("model.safetensors"))) {
      assertThat(file.tensors()).hasSize(weights.names().size() + extra).hasSize(report.tensors());
      for (String name : weights.names()) {
        Tensor t = weights.tensor(name);
        GgufFile.Stored stored = file.tensor(ggufName(name, model.startsWith("gemma")));
        List<Long> sizes = new ArrayList<>();
        for (int i = t.shape().rank() - 1; i >= 0; i--) {
          sizes.add(t.dim(i));
        }
        assertThat(stored.sizes()).as(name).isEqualTo(sizes);
        assertThat(stored.values()).as(name).containsExactly(expected(t, model, headSize));
      }
    }
  }

  @Tag("golden")
  @Test
  void matricesAreRoundedAndVectorsAreNot() throws IOException {
    Path out = folder.resolve("model.gguf");
    ModelFolders.copy("llama", folder, config -> {});
    GgufReport report = ModelFolders.export("llama", folder, out, GgufType.F16);
    assertThat(report.fallbacks()).isEmpty();
    GgufFile file = GgufFile.read(out);
    assertThat(file.value("general.file_type")).isEqualTo(1L);
    try (SafetensorsFile weights =
        Safetensors.open(ModelFolders.golden("llama").resolve("model.safetensors"))) {
      float[] up = weights.tensor("model.layers.1.mlp.up_proj.weight").toFloats();
      for (int i = 0; i < up.length; i++) {
        up[i] = Half.fromF16(Half.toF16(up[i]));
      }
      assertThat(file.tensor("blk.1.ffn_up.weight").values()).containsExactly(up);
    }
    file.tensors()
        .forEach(
            (name, t) -> assertThat(t.type()).as(name).isEqualTo(t.sizes().size() == 1 ? 0 : 1));
  }

  @Tag("golden")
  @ParameterizedTest
  @CsvSource({"Q8_0, llama, 8, 8", "Q4_0, llama, 2, 8", "Q4_0, qwen2, 2, 2"})
  void rowsThatAreNotWholeBlocksAreHalves(GgufType type, String model, int matrix, int output)
      throws IOException {
    Path out = folder.resolve("model.gguf");
    ModelFolders.copy(model, folder, config -> {});
    GgufReport report = ModelFolders.export(model, folder, out, type);
    GgufFile file = GgufFile.read(out);
    assertThat(report.fallbacks())
        .containsExactly(
            "blk.0.ffn_down.weight [64, 176] is F16: its rows are not whole blocks of 32",
            "blk.1.ffn_down.weight [64, 176] is F16: its rows are not whole blocks of 32");
    assertThat(file.tensor("blk.0.ffn_down.weight").type()).isEqualTo(1);
    assertThat(file.tensor("blk.0.attn_q.weight").type()).isEqualTo(matrix);
    assertThat(file.tensor("blk.0.attn_norm.weight").type()).isZero();
    boolean tied = model.equals("qwen2");
    assertThat(file.tensor("token_embd.weight").type()).isEqualTo(tied ? 8 : matrix);
    if (!tied) {
      assertThat(file.tensor("output.weight").type()).isEqualTo(output);
    }
  }

  private GgufFile metadata(String model, List<String> warnings) throws IOException {
    Path out = folder.resolve("model.gguf");
    ModelFolders.copy(model, folder, config -> {});
    warnings.addAll(ModelFolders.export(model, folder, out, GgufType.F32).warnings());
    return GgufFile.read(out);
  }

  @Tag("golden")
  @Test
  void sizesOfLlama() throws IOException {
    List<String> warnings = new ArrayList<>();
    GgufFile file = metadata("llama", warnings);
    assertThat(warnings).isEmpty();
    assertThat(file.metadata())
        .containsEntry("general.architecture", "llama")
        .containsEntry("general.type", "model")
        .containsEntry("general.file_type", 0L)
        .containsEntry("general.quantization_version", 2L)
        .containsEntry("llama.block_count", 2L)
        .containsEntry("llama.context_length", 128L)
        .containsEntry("llama.embedding_length", 64L)
        .containsEntry("llama.feed_forward_length", 176L)
        .containsEntry("llama.vocab_size", 320L)
        .containsEntry("llama.attention.head_count", 4L)
        .containsEntry("llama.attention.head_count_kv", 2L)
        .containsEntry("llama.attention.key_length", 16L)
        .containsEntry("llama.attention.value_length", 16L)
        .containsEntry("llama.attention.layer_norm_rms_epsilon", 1e-5f)
        .containsEntry("llama.rope.freq_base", 10000f)
        .containsEntry("llama.rope.dimension_count", 16L)
        .doesNotContainKeys("llama.rope.scaling.type", "llama.attention.sliding_window");
  }

  @Tag("golden")
  @Test
  void ropeScalings() throws IOException {
    List<String> warnings = new ArrayList<>();
    assertThat(metadata("llama_linear", warnings).metadata())
        .containsEntry("llama.rope.scaling.type", "linear")
        .containsEntry("llama.rope.scaling.factor", 3f);
    assertThat(metadata("llama_yarn", warnings).metadata())
        .containsEntry("llama.rope.scaling.type", "yarn")
        .containsEntry("llama.rope.scaling.factor", 4f)
        .containsEntry("llama.rope.scaling.original_context_length", 16L)
        .containsEntry("llama.rope.scaling.yarn_beta_fast", 32f)
        .containsEntry("llama.rope.scaling.yarn_beta_slow", 1f)
        .doesNotContainKey("llama.rope.scaling.attn_factor");
    assertThat(warnings).isEmpty();
    assertThat(metadata("llama_dynamic", warnings).metadata())
        .doesNotContainKey("llama.rope.scaling.type");
    assertThat(warnings).singleElement().asString().contains("texts of up to 16 tokens");
  }

  /** theta 500000, D 24: the wavelengths of pairs 0 and 1 are below 8, that of 2 lies between. */
  @Tag("golden")
  @Test
  void llama3DividesItsFrequencies() throws IOException {
    float[] divisors = metadata("llama3", new ArrayList<>()).tensor("rope_freqs.weight").values();
    assertThat(divisors).hasSize(12).startsWith(1).endsWith(8, 8, 8, 8, 8, 8, 8, 8, 8);
    double wavelength = 2 * Math.PI * Math.pow(500000, 2 / 24.0);
    double smooth = (32 / wavelength - 1) / 3;
    assertThat(divisors[1]).isEqualTo((float) (1 / ((1 - smooth) / 8 + smooth)));
  }

  @Tag("golden")
  @Test
  void phi3LongRope() throws IOException {
    List<String> warnings = new ArrayList<>();
    GgufFile file = metadata("phi3_longrope", warnings);
    assertThat(file.metadata())
        .containsEntry("phi3.rope.dimension_count", 12L)
        .containsEntry("phi3.attention.sliding_window", 0L)
        .containsEntry("phi3.rope.scaling.original_context_length", 16L)
        .containsEntry(
            "phi3.rope.scaling.attn_factor", (float) Math.sqrt(1 + Math.log(8) / Math.log(16)));
    assertThat(file.tensor("rope_factors_long.weight").values())
        .containsExactly(1.5f, 2.2f, 2.9f, 3.6f, 4.3f, 5f);
    assertThat(file.tensor("rope_factors_short.weight").values())
        .containsExactly(1f, 1.05f, 1.1f, 1.15f, 1.2f, 1.25f);
    assertThat(warnings).singleElement().asString().contains("more than 16 tokens");
  }

  @Tag("golden")
  @Test
  void gemmas() throws IOException {
    List<String> warnings = new ArrayList<>();
    assertThat(metadata("gemma2", warnings).metadata())
        .containsEntry("general.architecture", "gemma2")
        .containsEntry("gemma2.attention.sliding_window", 9L)
        .containsEntry("gemma2.attn_logit_softcapping", 50f)
        .containsEntry("gemma2.final_logit_softcapping", 30f)
        .containsEntry("gemma2.attention.key_length", 16L);
    assertThat(metadata("gemma3", warnings).metadata())
        .containsEntry("general.architecture", "gemma3")
        .containsEntry("gemma3.attention.sliding_window", 9L)
        .containsEntry("gemma3.rope.freq_base", 1e6f)
        .containsEntry("gemma3.rope.freq_base_swa", 1e4f)
        .doesNotContainKeys("gemma3.attn_logit_softcapping", "gemma3.final_logit_softcapping");
    assertThat(warnings).isEmpty();
  }

  @Tag("golden")
  @ParameterizedTest
  @CsvSource({"mistral, 7", "qwen2_window, 6"})
  void windowsThatLlamaCppLacksAreWarnings(String model, int window) throws IOException {
    List<String> warnings = new ArrayList<>();
    metadata(model, warnings);
    assertThat(warnings)
        .singleElement()
        .asString()
        .contains("more than %d tokens".formatted(window));
  }

  private void refused(String model, String change, String... message) throws IOException {
    ObjectNode changes = ModelFolders.object(change);
    ModelFolders.copy(
        model,
        folder,
        config -> changes.properties().forEach(e -> config.set(e.getKey(), e.getValue())));
    Path out = folder.resolve("model.gguf");
    assertThatThrownBy(() -> ModelFolders.export(model, folder, out, GgufType.F32))
        .isInstanceOfAny(ExportException.class, ModelException.class)
        .message()
        .contains(message);
    assertThat(out).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama|{'model_type': 'mixtral'}|\"model_type\" is \"mixtral\"|qwen3",
        "llama|{'quantization_config': {'quant_method': 'aqlm'}}|\"quantization_config.quant_method\" is \"aqlm\"|bitsandbytes",
        "llama|{'quantization_config': {'load_in_8bit': true}}|quantization_config.load_in_8bit",
        "llama|{'hidden_act': 'gelu'}|\"hidden_act\"|silu",
        "llama|{'hidden_size': 0}|\"hidden_size\" is 0|a positive integer",
        "llama|{'rope_parameters': {'rope_type': 'spiral'}}|\"rope_parameters.rope_type\"|yarn",
        "llama_yarn|{'rope_parameters': {'rope_type': 'yarn', 'factor': 2, 'truncate': false}}|truncate",
        "llama|{'partial_rotary_factor': 0.5}|partial_rotary_factor",
        "qwen3|{'attention_bias': true}|self_attn.q_proj has a bias, which llama.cpp's qwen3 has not",
        "qwen3|{'rope_parameters': {'rope_type': 'llama3', 'factor': 8, 'low_freq_factor': 1, 'high_freq_factor': 4}}|no llama3 rope; it is for llama alone",
        "qwen2|{'rope_parameters': {'rope_type': 'longrope', 'short_factor': [1, 1, 1, 1, 1, 1, 1, 1], 'long_factor': [1, 1, 1, 1, 1, 1, 1, 1]}}|no longrope rope; it is for phi3 alone",
        "phi3_longrope|{'rope_parameters': {'rope_type': 'longrope', 'short_factor': [1], 'long_factor': [1, 2]}}|8 positive numbers",
        "gemma2|{'query_pre_attn_scalar': 32}|\"query_pre_attn_scalar\" is 32|16",
        "gemma3|{'layer_types': ['full_attention']}|\"layer_types\"",
        "gemma3|{'use_bidirectional_attention': true}|use_bidirectional_attention",
        "llama|{'num_hidden_layers': 1}|unexpected model.layers.1.self_attn.q_proj.weight",
        "llama|{'num_hidden_layers': 3}|missing model.layers.2.input_layernorm.weight",
        "llama|{'intermediate_size': 32}|model.layers.0.mlp.up_proj.weight is [176, 64], expected [32, 64]"
      })
  void refusesWhatCannotBeExported(String line) throws IOException {
    String[] parts = line.split("\\|", -1);
    refused(parts[0], parts[1], Arrays.copyOfRange(parts, 2, parts.length));
  }

  /** An adapter that changes the embeddings unties the head. */
  @Test
  void aHeadAmongTheTensorsIsWritten() throws IOException {
    ModelFolders.copy(
        "qwen2",
        folder,
        config -> {
          config.put("num_hidden_layers", 1);
          config.remove("layer_types");
        });
    List<TensorLayout.Entry> layout =
        TensorLayout.of(ModelConfig.of(folder), Architecture.QWEN2, true);
    TensorSource source =
        new TensorSource() {
          @Override
          public List<String> names() {
            return layout.stream().map(TensorLayout.Entry::source).toList();
          }

          @Override
          public Shape shape(String name) {
            return layout.stream()
                .filter(e -> e.source().equals(name))
                .findFirst()
                .orElseThrow()
                .shape();
          }

          @Override
          public void read(String name, Tensor out) {
            out.setFloat(0, name.length());
          }
        };
    Path out = folder.resolve("model.gguf");
    GgufModel.write(folder, source, out, GgufType.BF16, (done, total) -> {});
    assertThat(GgufFile.read(out).tensor("output.weight").values()).startsWith(14, 0);
  }
}
