package dev.nibble.examples.bpe;

import java.util.List;

/**
 * A trained encoding.
 *
 * @param special special tokens, which have the first ids
 * @param vocabulary all tokens by id: special ones, the 256 letters of bytes, then one for each
 *     merge
 * @param merges pairs of tokens, first learned first
 */
public record Bpe(List<String> special, List<String> vocabulary, List<Merge> merges) {
  /** Copies the lists. */
  public Bpe {
    special = List.copyOf(special);
    vocabulary = List.copyOf(vocabulary);
    merges = List.copyOf(merges);
  }

  /** Two neighbouring tokens that become one. */
  public record Merge(String left, String right) {}
}
