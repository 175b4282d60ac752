package dev.nibble.trainer.model.config;

import java.util.OptionalInt;

/**
 * The sizes of a decoder-only model.
 *
 * @param vocab V
 * @param hidden C
 * @param feedForward F
 * @param layers L
 * @param heads H
 * @param keyValueHeads K, a divisor of H
 * @param head D
 * @param positions {@code max_position_embeddings}
 */
public record Sizes(
    int vocab,
    int hidden,
    int feedForward,
    int layers,
    int heads,
    int keyValueHeads,
    int head,
    int positions) {

  /**
   * What a family's config class takes for missing keys.
   *
   * @param keyValueHeads empty: as many as heads
   * @param head empty: hidden / heads
   */
  record Defaults(
      int vocab,
      int hidden,
      int feedForward,
      int layers,
      int heads,
      OptionalInt keyValueHeads,
      OptionalInt head,
      int positions) {}

  static Sizes read(ConfigJson c, Defaults d) {
    int hidden = c.positive("hidden_size", d.hidden);
    int heads = c.positive("num_attention_heads", d.heads);
    // null means "as many as heads" in every family, also where the default is another number
    int missing = c.contains("num_key_value_heads") ? heads : d.keyValueHeads.orElse(heads);
    int keyValueHeads = c.positive("num_key_value_heads", missing);
    if (heads % keyValueHeads != 0) {
      throw c.wrong("num_key_value_heads", "a divisor of num_attention_heads = " + heads);
    }
    if (!c.has("head_dim") && d.head.isEmpty() && hidden % heads != 0) {
      throw c.wrong("hidden_size", "a multiple of num_attention_heads = " + heads);
    }
    int head = c.positive("head_dim", d.head.orElse(hidden / heads));
    if (head % 2 != 0) {
      throw c.wrong("head_dim", "an even number");
    }
    return new Sizes(
        c.positive("vocab_size", d.vocab),
        hidden,
        c.positive("intermediate_size", d.feedForward),
        c.positive("num_hidden_layers", d.layers),
        heads,
        keyValueHeads,
        head,
        c.positive("max_position_embeddings", d.positions));
  }

  /** The same of another number of layers. */
  Sizes withLayers(int other) {
    return new Sizes(vocab, hidden, feedForward, other, heads, keyValueHeads, head, positions);
  }

  /** H * D. */
  public int query() {
    return heads * head;
  }

  /** K * D. */
  public int keyValue() {
    return keyValueHeads * head;
  }
}
