package dev.nibble.trainer.objective;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.Batch;

/**
 * Direct preference optimisation (arXiv:2305.18290) on pairs of a chosen and a rejected completion
 * of one prompt. With log p(y) the sum of the log-probabilities of a completion's tokens, and the
 * model's own frozen base as the reference:
 *
 * <pre>
 * margin = beta ((log p(chosen) - log p_ref(chosen)) - (log p(rejected) - log p_ref(rejected)))
 * loss = -log sigmoid(margin)
 * </pre>
 *
 * <p>The samples of a batch are chosen and rejected by turns; the supervised tokens of each are its
 * completion. The loss is a mean over pairs.
 */
public final class DpoLoss implements Objective {
  private final TokenLosses losses;
  private final double beta;

  /**
   * Takes its buffers, in the group "logits".
   *
   * @param maxTokens the most tokens of a batch
   * @param beta how strongly the model is held to its reference; above 0
   */
  public DpoLoss(Kernels kernels, Scope scope, int maxTokens, double beta) {
    if (!(beta > 0) || Double.isInfinite(beta)) {
      throw new IllegalArgumentException("beta is %s, expected a number above 0".formatted(beta));
    }
    this.losses = new TokenLosses(kernels, scope, maxTokens);
    this.beta = beta;
  }

  @Override
  public LossSum accumulate(ForwardPasses passes, Batch batch) {
    double[] reference = logProbabilities(passes.base(), batch);
    Outputs outputs = passes.model();
    double[] margins = margins(logProbabilities(outputs, batch), reference);
    double[] factors = new double[batch.samples()];
    for (int p = 0; p < margins.length; p++) {
      // d loss / d margin = -sigmoid(-margin), and a token's own loss is its -log p.
      factors[2 * p] = beta / (1 + Math.exp(margins[p]));
      factors[2 * p + 1] = -factors[2 * p];
    }
    losses.scaleSamples(factors);
    losses.accumulate(outputs);
    return sum(margins);
  }

  @Override
  public int samplesOfTerm() {
    return 2;
  }

  @Override
  public LossSum evaluate(ForwardPasses passes, Batch batch) {
    double[] reference = logProbabilities(passes.base(), batch);
    return sum(margins(logProbabilities(passes.model(), batch), reference));
  }

  /** log p of each sample's completion. */
  private double[] logProbabilities(Outputs outputs, Batch batch) {
    if (batch.samples() % 2 != 0) {
      throw new IllegalArgumentException(
          "a batch of %d samples, expected pairs of a chosen and a rejected one"
              .formatted(batch.samples()));
    }
    losses.supervise(batch);
    losses.evaluate(outputs);
    double[] sums = losses.sumsOfSamples(batch.samples());
    for (int s = 0; s < sums.length; s++) {
      sums[s] = -sums[s];
    }
    return sums;
  }

  private double[] margins(double[] logProbabilities, double[] reference) {
    double[] margins = new double[reference.length / 2];
    for (int p = 0; p < margins.length; p++) {
      double chosen = logProbabilities[2 * p] - reference[2 * p];
      double rejected = logProbabilities[2 * p + 1] - reference[2 * p + 1];
      margins[p] = beta * (chosen - rejected);
    }
    return margins;
  }

  private static LossSum sum(double[] margins) {
    double sum = 0;
    for (double margin : margins) {
      // -log sigmoid(margin), without overflow
      sum += Math.max(0, -margin) + Math.log1p(Math.exp(-Math.abs(margin)));
    }
    return new LossSum(sum, margins.length);
  }
}
