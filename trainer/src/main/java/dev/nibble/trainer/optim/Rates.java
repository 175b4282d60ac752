package dev.nibble.trainer.optim;

import dev.nibble.adapters.Parameters.ParameterGroup;

/**
 * How fast some parameters learn (LoRA+, arXiv:2402.12354), in multiples of the learning rate.
 *
 * @param fast of {@link ParameterGroup#FAST}
 * @param embedding of {@link ParameterGroup#EMBEDDING}
 */
public record Rates(double fast, double embedding) {
  /** All alike. */
  public static final Rates EQUAL = new Rates(1, 1);

  /** Checks the ranges. */
  public Rates {
    Checks.require("rate of B", fast, fast > 0 && Double.isFinite(fast), "above 0");
    Checks.require(
        "rate of embeddings", embedding, embedding > 0 && Double.isFinite(embedding), "above 0");
  }

  double of(ParameterGroup group) {
    return switch (group) {
      case NORMAL -> 1;
      case FAST -> fast;
      case EMBEDDING -> embedding;
    };
  }
}
