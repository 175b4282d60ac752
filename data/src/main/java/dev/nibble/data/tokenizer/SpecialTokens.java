package dev.nibble.data.tokenizer;

import java.util.List;
import java.util.OptionalInt;

/**
 * The ids of the tokens with a role.
 *
 * @param bos begins a sequence
 * @param eos ends a sequence
 * @param pad fills up batches of other tools; Nibble's have no padding
 * @param stop the ids after which generation stops: {@code eos} and every {@code eos_token_id} of
 *     generation_config.json or, where it has none, of config.json
 */
public record SpecialTokens(OptionalInt bos, OptionalInt eos, OptionalInt pad, List<Integer> stop) {
  public SpecialTokens {
    stop = List.copyOf(stop);
  }
}
