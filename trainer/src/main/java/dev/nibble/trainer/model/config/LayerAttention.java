package dev.nibble.trainer.model.config;

import dev.nibble.compute.kernels.AttentionRule;
import java.util.Optional;

/**
 * The attention of one layer, as far as layers of a model differ: its rule and its rope.
 *
 * @param rope empty where positions play no part
 */
record LayerAttention(AttentionRule rule, Optional<Rope> rope) {

  /** With a rope. */
  LayerAttention(AttentionRule rule, Rope rope) {
    this(rule, Optional.of(rope));
  }

  /** Without one. */
  static LayerAttention noPositions(AttentionRule rule) {
    return new LayerAttention(rule, Optional.empty());
  }
}
