package dev.nibble.trainer.model;

import java.util.function.ToLongFunction;

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

  /**
   * Keeps as many layers as fit.
   *
   * @param layers of the model
   * @param room bytes that a model may take
   * @param bytes what a model takes
   */
  public static Checkpointing fitting(int layers, long room, ToLongFunction<Checkpointing> bytes) {
    long least = bytes.applyAsLong(FULL);
    long layer = bytes.applyAsLong(new Checkpointing(2)) - least;
    if (layers < 2 || least + (layers - 1) * layer <= room) {
      return OFF;
    }
    return new Checkpointing((int) (1 + Math.max(0, room - least) / layer));
  }

  /** For the log. */
  public String describe(int layers) {
    int kept = keptOf(layers);
    return kept == layers
        ? "no gradient checkpointing: the activations of all %d layers are kept".formatted(layers)
        : "gradient checkpointing: %d of %d layers keep their activations, the others recompute them"
            .formatted(kept, layers);
  }

  /** How many of a model's layers keep their activations. */
  public int keptOf(int layers) {
    return Math.min(keptLayers, layers);
  }

  /** Whether backward computes a layer's activations again. */
  public boolean recomputes(int layer, int layers) {
    return layer < layers - keptLayers;
  }
}
