package dev.nibble.trainer.export.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.model.ModelException;
import dev.nibble.trainer.model.config.ModelConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ObjectNode;

/**
 * Keys of config.json that a reader may understand in two ways: what is exported is what
 * transformers 5.18 (or 4, where it says so) makes of them.
 */
@Tag("golden")
class GgufConfigTest {
  @TempDir private Path folder;

  private Map<String, Object> export(String model, String changes) throws IOException {
    Path out = folder.resolve("model.gguf");
    ModelFolders.export(model, changed(model, changes), out, GgufType.F32);
    return GgufFile.read(out).metadata();
  }

  private Path changed(String model, String changes) throws IOException {
    ObjectNode keys = ModelFolders.object(changes);
    return ModelFolders.copy(
        model,
        folder,
        config -> keys.properties().forEach(e -> config.set(e.getKey(), e.getValue())));
  }

  /** llama.cpp's smollm3 leaves the rope out in every fourth layer, and turns neighbours. */
  @Test
  void smolLm3HasNoRopeInEveryFourthLayer() {
    String keys = "{\"model_type\": \"smollm3\", \"num_hidden_layers\": 4, \"no_rope_layers\": %s}";
    ModelConfig published = ModelConfig.parse("config.json", keys.formatted("[1, 1, 1, 0]"));
    assertThat(Architecture.of(published)).isEqualTo(Architecture.SMOLLM3);
    assertThat(Architecture.SMOLLM3.rotatesNeighbours()).isTrue();
    ModelConfig other = ModelConfig.parse("config.json", keys.formatted("[1, 0, 1, 0]"));
    assertThatThrownBy(() -> Architecture.of(other))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("layer 1 of smollm3 has no rope");
  }

  /** MistralConfig's default is 8; null is as many as heads (transformers 4). */
  @Test
  void noNumberOfKeyValueHeadsMeansAsManyAsHeads() {
    assertThatThrownBy(() -> export("mistral", "{'num_key_value_heads': null}"))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining(
            "model.layers.0.self_attn.k_proj.weight is [32, 64], expected [64, 64]");
  }

  /** LlamaConfig(rope_scaling=..., rope_parameters=...).rope_parameters is rope_scaling. */
  @Test
  void ropeScalingWinsOverRopeParameters() throws IOException {
    String ropes =
        """
        {'rope_scaling': {'rope_type': 'linear', 'factor': 2.0},
         'rope_parameters': {'rope_type': 'linear', 'factor': 4.0, 'rope_theta': 500000.0}}
        """;
    assertThat(export("llama", ropes))
        .containsEntry("llama.rope.scaling.factor", 2f)
        .containsEntry("llama.rope.freq_base", 10000f);
  }

  /** standardize_rope_params puts the outer number into rope_parameters. */
  @Test
  void theOuterNumberOfFirstPositionsWins() throws IOException {
    String positions =
        """
        {'original_max_position_embeddings': 32, 'rope_parameters': {'rope_type': 'yarn',
         'factor': 4.0, 'original_max_position_embeddings': 16, 'rope_theta': 10000.0}}
        """;
    assertThat(export("llama_yarn", positions))
        .containsEntry("llama.rope.scaling.original_context_length", 32L);
  }

  /** Gemma2Config keeps null, its model then caps nothing; llama.cpp would, at 50 and 30. */
  @Test
  void withoutCapsGemma2CannotBeExpressed() {
    assertThatThrownBy(() -> export("gemma2", "{'attn_logit_softcapping': null}"))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("\"attn_logit_softcapping\" is null");
    assertThatThrownBy(() -> export("gemma2", "{'final_logit_softcapping': null}"))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("\"final_logit_softcapping\" is null");
  }

  /** Gemma2Config's defaults are written. */
  @Test
  void capsThatAreMissingHaveTheirDefaults() throws IOException {
    Path model =
        ModelFolders.copy(
            "gemma2",
            folder,
            config -> {
              config.remove("attn_logit_softcapping");
              config.remove("final_logit_softcapping");
            });
    Path out = folder.resolve("model.gguf");
    ModelFolders.export("gemma2", model, out, GgufType.F32);
    assertThat(GgufFile.read(out).metadata())
        .containsEntry("gemma2.attn_logit_softcapping", 50f)
        .containsEntry("gemma2.final_logit_softcapping", 30f);
  }

  /** Gemma2Config keeps null, with which the mask of its windowed layers cannot be made. */
  @Test
  void gemmaNeedsAWindow() {
    assertThatThrownBy(() -> export("gemma2", "{'sliding_window': null}"))
        .isInstanceOf(ModelException.class)
        .hasMessageContaining("\"sliding_window\" is null");
  }

  /** _compute_yarn_parameters asks {@code if mscale and mscale_all_dim}. */
  @Test
  void yarnTakesAnMscaleOfZeroForNone() throws IOException {
    String rope =
        """
        {'rope_parameters': {'rope_type': 'yarn', 'factor': 4.0, 'mscale': 0,
         'mscale_all_dim': 0.7, 'original_max_position_embeddings': 16, 'rope_theta': 10000.0}}
        """;
    assertThat(export("llama_yarn", rope)).doesNotContainKey("llama.rope.scaling.attn_factor");
  }
}
