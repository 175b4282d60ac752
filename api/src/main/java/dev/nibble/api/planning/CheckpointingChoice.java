package dev.nibble.api.planning;

import dev.nibble.api.estimate.MemoryBudget;
import dev.nibble.recipes.schema.AutoFlag;
import dev.nibble.trainer.model.Checkpointing;
import java.util.Optional;
import java.util.function.ToLongFunction;

/**
 * Choice of the layers that keep their activations, by {@code gradient_checkpointing} and memory.
 */
public final class CheckpointingChoice {
  private CheckpointingChoice() {}

  /**
   * Which layers keep their activations: none, all, or as many as fit.
   *
   * @param asked whether they are computed again
   * @param budget what a model must fit in; empty where that is not known, and then as few as can
   *     be
   * @param layers of the model
   * @param bytes what a model takes
   */
  public static Checkpointing choose(
      AutoFlag asked,
      Optional<MemoryBudget> budget,
      int layers,
      ToLongFunction<Checkpointing> bytes) {
    return switch (asked) {
      case TRUE -> Checkpointing.FULL;
      case FALSE -> Checkpointing.OFF;
      case AUTO ->
          budget
              .map(r -> Checkpointing.fitting(layers, r.filled(), bytes))
              .orElse(Checkpointing.FULL);
    };
  }
}
