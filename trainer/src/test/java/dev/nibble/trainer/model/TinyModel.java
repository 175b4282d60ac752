package dev.nibble.trainer.model;

import dev.nibble.data.Batch;
import dev.nibble.data.Sample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A model of a few hundred weights with every option that a Llama has. */
final class TinyModel {
  private TinyModel() {}

  /** Writes a config.json. */
  static Path config(Path folder, boolean tied) throws IOException {
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"model_type": "llama", "vocab_size": 11, "hidden_size": 8, "intermediate_size": 12,
         "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 4,
         "max_position_embeddings": 32, "attention_bias": true, "mlp_bias": true,
         "initializer_range": 0.3, "tie_word_embeddings": %s}
        """
            .formatted(tied));
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
