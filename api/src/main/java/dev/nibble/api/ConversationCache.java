package dev.nibble.api;

import dev.nibble.trainer.generate.PrefixCache;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Decoder;
import java.util.Optional;

/** Keys and values of a conversation with one model, in a decoder that grows with it. */
final class ConversationCache implements AutoCloseable {
  private static final int LEAST = 256;

  private final boolean ofBase;
  private Optional<PrefixCache> decoder = Optional.empty();
  private int capacity;

  /**
   * Of no tokens yet.
   *
   * @param ofBase whether they are those of the frozen base, and not of the adapted model
   */
  ConversationCache(boolean ofBase) {
    this.ofBase = ofBase;
  }

  /** The decoder, with room for {@code tokens}. */
  Decoder decoder(CausalLm lm, int tokens) {
    if (tokens > capacity) {
      close();
      int wanted = Math.max(tokens, Math.max(LEAST, 2 * capacity));
      int room = Math.min(wanted, lm.maxPositions());
      decoder =
          Optional.of(new PrefixCache(ofBase ? lm.baseDecoder(1, room) : lm.decoder(1, room)));
      capacity = room;
    }
    return decoder.orElseThrow();
  }

  @Override
  public void close() {
    decoder.ifPresent(PrefixCache::close);
    decoder = Optional.empty();
    capacity = 0;
  }
}
