package dev.nibble.trainer.objective;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.Batch;

/**
 * Language modelling: the cross-entropy of each supervised token given those before it. Logits are
 * made once, a chunk's gradient right after its loss.
 */
public final class NextTokenLoss implements Objective {
  private final TokenLosses losses;

  /**
   * Takes its buffers, in the group "logits".
   *
   * @param maxTokens the most tokens of a batch
   */
  public NextTokenLoss(Kernels kernels, Scope scope, int maxTokens) {
    this.losses = new TokenLosses(kernels, scope, maxTokens);
  }

  @Override
  public LossSum accumulate(ForwardPasses passes, Batch batch) {
    losses.supervise(batch);
    losses.accumulate(passes.model());
    return losses.sum();
  }

  @Override
  public LossSum evaluate(ForwardPasses passes, Batch batch) {
    losses.supervise(batch);
    losses.evaluate(passes.model());
    return losses.sum();
  }
}
