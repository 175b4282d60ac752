package dev.nibble.trainer.evaluation;

import dev.nibble.data.Batch;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.objective.LossSum;
import dev.nibble.trainer.objective.Objective;
import java.util.List;
import java.util.function.IntConsumer;

/** The loss over batches that never change, so that measurements can be compared. */
public final class ValidationLoss {
  private final CausalLm model;
  private final Objective objective;
  private final List<Batch> batches;
  private final IntConsumer progress;

  /**
   * Keeps the batches.
   *
   * @param progress hears how many batches are done
   * @throws EvaluationException when no token of them is supervised
   */
  public ValidationLoss(
      CausalLm model, Objective objective, List<Batch> batches, IntConsumer progress) {
    this.progress = progress;
    this.model = model;
    this.objective = objective;
    this.batches = List.copyOf(batches);
    if (this.batches.stream().allMatch(b -> b.supervisedTokens() == 0)) {
      throw new EvaluationException(
          "the validation data have no token to predict in %d batches".formatted(batches.size()));
    }
  }

  /**
   * The summed loss of all batches; its mean's exponential is the perplexity.
   *
   * @throws EvaluationException when it is NaN or infinite; names the sample
   */
  public LossSum measure() {
    LossSum sum = LossSum.ZERO;
    for (int i = 0; i < batches.size(); i++) {
      progress.accept(i);
      Batch batch = batches.get(i);
      LossSum loss = model.evaluate(batch, objective);
      if (!Double.isFinite(loss.sum())) {
        throw new EvaluationException(
            "the validation loss is %s for %s".formatted(loss.mean(), culprit(batch)));
      }
      sum = sum.plus(loss);
    }
    return sum;
  }

  /** The first sample whose own loss is not finite, and the tensor in which that begins. */
  private String culprit(Batch batch) {
    int together = objective.samplesOfTerm();
    for (int s = 0; s < batch.samples(); s += together) {
      Batch sample = batch.part(s, together);
      if (!Double.isFinite(model.evaluate(sample, objective).sum())) {
        return "%s, first in %s"
            .formatted(
                sample.places().isEmpty() ? "a sample" : String.join(" and ", sample.places()),
                model.firstNonFinite(sample).orElse("the loss"));
      }
    }
    return "%d samples together, though not for any of them alone".formatted(batch.samples());
  }
}
