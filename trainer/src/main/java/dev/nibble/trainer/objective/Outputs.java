package dev.nibble.trainer.objective;

import dev.nibble.compute.tensor.Tensor;

/**
 * The outputs of a forward pass: the logits after each token, [N, V]. Only rows that are asked for
 * are made, and only a chunk of them exists at a time.
 */
public interface Outputs {

  /** Reads the logits of a chunk of rows. */
  @FunctionalInterface
  interface LogitsReader {
    /**
     * Reads a chunk.
     *
     * @param from the first of the chunk's M rows, as an index into the positions asked for
     * @param logits [M, V]
     */
    void read(int from, Tensor logits);
  }

  /** A loss whose gradient is taken a chunk of rows at a time. */
  @FunctionalInterface
  interface LogitsGradient {
    /**
     * Writes the gradient of the loss.
     *
     * @param dlogits [M, V], overwritten; may be the same tensor as {@code logits}
     * @param from the first of the chunk's M rows, as an index into the positions asked for
     * @param logits [M, V]
     */
    void differentiate(Tensor dlogits, int from, Tensor logits);
  }

  /**
   * Computes the logits at some positions.
   *
   * @param positions tokens of the batch, in ascending order
   */
  void read(int[] positions, LogitsReader reader);

  /**
   * Computes the logits at some positions, and adds what the loss's gradient there comes to before
   * the output head. May be called several times for one pass.
   *
   * @param positions tokens of the batch, in ascending order
   * @throws IllegalStateException when the pass was not one of training
   */
  void accumulate(int[] positions, LogitsGradient loss);
}
