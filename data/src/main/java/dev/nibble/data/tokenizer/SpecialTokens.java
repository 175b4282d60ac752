package dev.nibble.data.tokenizer;

import java.util.List;
import java.util.OptionalInt;

/**
 * The ids of the tokens with a role.
 *
 * @param bos begins a sequence
 * @param eos ends a sequence
 * @param pad fills up a batch
 * @param stop the ids after which generation stops: {@code eos} and those that
 *     generation_config.json adds
 */
public record SpecialTokens(OptionalInt bos, OptionalInt eos, OptionalInt pad, List<Integer> stop) {
  public SpecialTokens {
    stop = List.copyOf(stop);
  }
}
