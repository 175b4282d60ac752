package dev.nibble.trainer.model;

/**
 * Token-by-token inference with a key/value cache for several sequences; it owns the cache's
 * memory.
 */
public interface Decoder extends AutoCloseable {

  /** Number of sequences it holds. */
  int sequences();

  /** Forgets sequence {@code sequence}, so that it may start anew. */
  default void reset(int sequence) {
    keep(sequence, 0);
  }

  /**
   * Forgets all but the first {@code length} tokens of a sequence.
   *
   * @return how many it has kept: {@code length}, or 0 where the model computes these otherwise now
   *     that no more follow
   */
  int keep(int sequence, int length);

  /**
   * Feeds tokens to some sequences and gives the logits after the last token of each.
   *
   * @param sequences which sequences are fed, each at most once
   * @param tokens for each of them one token or more: its prompt first, then one at a time
   * @return for each of them the logits [V] of the next token; valid until the next call
   * @throws IllegalArgumentException when a sequence would exceed the capacity
   */
  float[][] feed(int[] sequences, int[][] tokens);

  @Override
  void close();
}
