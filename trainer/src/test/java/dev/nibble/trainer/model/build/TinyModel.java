package dev.nibble.trainer.model.build;

import dev.nibble.data.Batch;
import dev.nibble.data.Sample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Models of a few hundred weights, which between them have every part that a layer can have. */
enum TinyModel {
  /** Every bias. */
  LLAMA(
      """
      "model_type": "llama", "head_dim": 4, "attention_bias": true, "mlp_bias": true,
      "tie_word_embeddings": false\
      """),
  LLAMA_TIED(LLAMA.keys.replace("false", "true")),
  /** Head norms, a window. */
  QWEN3(
      """
      "model_type": "qwen3", "head_dim": 4, "use_sliding_window": true, "sliding_window": 3,
      "max_window_layers": 1\
      """),
  /** Fused projections, a part of each head turned by factors that switch at 5 tokens. */
  PHI3(
      """
      "model_type": "phi3", "head_dim": 4, "partial_rotary_factor": 0.5,
      "original_max_position_embeddings": 5,
      "rope_scaling": {"type": "longrope", "short_factor": [1.1], "long_factor": [1.7]}\
      """),
  /** Four norms, GeGLU, scaled embeddings, caps that bend, a window. */
  GEMMA2(
      """
      "model_type": "gemma2", "head_dim": 4, "query_pre_attn_scalar": 3, "sliding_window": 3,
      "attn_logit_softcapping": 1.5, "final_logit_softcapping": 2.5\
      """),
  /** Gemma's norms with head norms, two ropes. */
  GEMMA3(
      """
      "model_type": "gemma3_text", "head_dim": 4, "query_pre_attn_scalar": 3, "sliding_window": 3,
      "sliding_window_pattern": 2\
      """);

  private final String keys;

  TinyModel(String keys) {
    this.keys = keys;
  }

  /** Writes its config.json. */
  Path config(Path folder) throws IOException {
    Files.writeString(
        folder.resolve("config.json"),
        """
        {%s, "vocab_size": 11, "hidden_size": 8, "intermediate_size": 12,
         "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
         "max_position_embeddings": 32, "initializer_range": 0.3}
        """
            .formatted(keys));
    return folder;
  }

  /** Two samples, of which the second is supervised in part. */
  static Batch batch() {
    boolean[] all = new boolean[7];
    Arrays.fill(all, true);
    return Batch.of(
        List.of(
            new Sample(new int[] {1, 5, 3, 10, 4, 4, 2}, all),
            new Sample(new int[] {1, 9, 0, 7}, new boolean[] {false, false, true, true})));
  }
}
