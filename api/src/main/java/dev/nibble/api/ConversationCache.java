package dev.nibble.api;

import dev.nibble.trainer.generate.PrefixCache;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Decoder;
import java.util.Optional;

/** Keys and values of a conversation, in a decoder that grows with it. */
final class ConversationCache implements AutoCloseable {
  private static final int LEAST = 256;

  private Optional<PrefixCache> decoder = Optional.empty();
  private int capacity;

  /** The decoder, with room for {@code tokens}. */
  Decoder decoder(CausalLm lm, int tokens) {
    if (tokens > capacity) {
      close();
      int wanted = Math.max(tokens, Math.max(LEAST, 2 * capacity));
      int room = Math.min(wanted, lm.maxPositions());
      decoder = Optional.of(new PrefixCache(lm.decoder(1, room)));
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
