package dev.nibble.cli.bench;

import dev.nibble.trainer.model.config.ModelConfig;
import java.util.Arrays;
import java.util.Optional;

/** Sizes of the Llama models that are measured. */
public enum BenchShape {
  /** Small enough for a test: 16 million weights. */
  TINY("tiny", 512, 1408, 4, 8, 4, 4096),
  /** As TinyLlama 1.1B. */
  ONE_B("1b", 2048, 5632, 22, 32, 4, 32000),
  /** As Llama 2 7B. */
  SEVEN_B("7b", 4096, 11008, 32, 32, 32, 32000);

  private final String word;
  private final int hidden;
  private final int feedForward;
  private final int layers;
  private final int heads;
  private final int keyValueHeads;
  private final int vocab;

  BenchShape(
      String word,
      int hidden,
      int feedForward,
      int layers,
      int heads,
      int keyValueHeads,
      int vocab) {
    this.word = word;
    this.hidden = hidden;
    this.feedForward = feedForward;
    this.layers = layers;
    this.heads = heads;
    this.keyValueHeads = keyValueHeads;
    this.vocab = vocab;
  }

  /** Its name on the command line. */
  public String word() {
    return word;
  }

  /** The shape of this name. */
  public static Optional<BenchShape> named(String word) {
    return Arrays.stream(values()).filter(s -> s.word.equals(word)).findFirst();
  }

  /** The model, for samples of up to {@code positions} tokens. */
  ModelConfig model(int positions) {
    return ModelConfig.parse(
        "the shape " + word,
        """
        {"model_type": "llama", "vocab_size": %d, "hidden_size": %d, "intermediate_size": %d,
         "num_hidden_layers": %d, "num_attention_heads": %d, "num_key_value_heads": %d,
         "max_position_embeddings": %d, "tie_word_embeddings": false}
        """
            .formatted(vocab, hidden, feedForward, layers, heads, keyValueHeads, positions));
  }
}
