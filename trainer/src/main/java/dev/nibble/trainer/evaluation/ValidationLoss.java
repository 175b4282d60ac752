package dev.nibble.trainer.evaluation;

import dev.nibble.data.Batch;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.objective.LossSum;
import dev.nibble.trainer.objective.Objective;
import java.util.List;

/** The loss over batches that never change, so that measurements can be compared. */
public final class ValidationLoss {
  private final CausalLm model;
  private final Objective objective;
  private final List<Batch> batches;

  /**
   * Keeps the batches.
   *
   * @throws EvaluationException when no token of them is supervised
   */
  public ValidationLoss(CausalLm model, Objective objective, List<Batch> batches) {
    this.model = model;
    this.objective = objective;
    this.batches = List.copyOf(batches);
    if (this.batches.stream().allMatch(b -> b.supervisedTokens() == 0)) {
      throw new EvaluationException(
          "the validation data have no supervised token in %d batches".formatted(batches.size()));
    }
  }

  /** The summed loss of all batches; its mean's exponential is the perplexity. */
  public LossSum measure() {
    LossSum sum = LossSum.ZERO;
    for (Batch batch : batches) {
      sum = sum.plus(model.evaluate(batch, objective));
    }
    return sum;
  }
}
