package dev.nibble.trainer.toy;

import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;
import dev.nibble.trainer.objective.ForwardPasses;
import dev.nibble.trainer.objective.LossSum;
import dev.nibble.trainer.objective.Objective;
import java.util.stream.IntStream;

/** The cross-entropy of the next token, as plain loops on the host. */
public final class ToyLoss implements Objective {
  private double sum;

  @Override
  public LossSum accumulate(ForwardPasses passes, Batch batch) {
    int[] positions = supervised(batch);
    sum = 0;
    passes
        .model()
        .accumulate(
            positions,
            (dlogits, from, logits) -> {
              int target = batch.targets()[positions[from]];
              double[] p = softmax(logits);
              sum -= Math.log(p[target]);
              for (int v = 0; v < p.length; v++) {
                dlogits.setFloat(v, p[v] - (v == target ? 1 : 0));
              }
            });
    return new LossSum(sum, positions.length);
  }

  @Override
  public LossSum evaluate(ForwardPasses passes, Batch batch) {
    int[] positions = supervised(batch);
    sum = 0;
    passes
        .model()
        .read(
            positions,
            (from, logits) -> sum -= Math.log(softmax(logits)[batch.targets()[positions[from]]]));
    return new LossSum(sum, positions.length);
  }

  private static int[] supervised(Batch batch) {
    return IntStream.range(0, batch.length())
        .filter(i -> batch.targets()[i] != Batch.IGNORE)
        .toArray();
  }

  private static double[] softmax(Tensor logits) {
    double[] p = new double[Math.toIntExact(logits.elements())];
    double sum = 0;
    for (int v = 0; v < p.length; v++) {
      p[v] = Math.exp(logits.getFloat(v));
      sum += p[v];
    }
    for (int v = 0; v < p.length; v++) {
      p[v] /= sum;
    }
    return p;
  }
}
