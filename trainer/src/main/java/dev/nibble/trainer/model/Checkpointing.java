package dev.nibble.trainer.model;

/**
 * Gradient checkpointing (arXiv:1604.06174): how many layers, counted from the last, keep what
 * backward needs of them. The others keep their input and compute the rest again, which gives the
 * same bits.
 *
 * @param keptLayers at least 1: the last layer's activations are still there when backward starts
 */
public record Checkpointing(int keptLayers) {
  /** The least memory. */
  public static final Checkpointing FULL = new Checkpointing(1);

  /** The least time: nothing is computed again. */
  public static final Checkpointing OFF = new Checkpointing(Integer.MAX_VALUE);

  /** Checks the number. */
  public Checkpointing {
    if (keptLayers < 1) {
      throw new IllegalArgumentException("%d layers keep their activations".formatted(keptLayers));
    }
  }

  /** How many sets of activations a model of so many layers has. */
  int sets(int layers) {
    return Math.min(keptLayers, layers);
  }

  /** Whether backward computes a layer's activations again. */
  boolean recomputes(int layer, int layers) {
    return layer < layers - keptLayers;
  }
}
