package dev.nibble.trainer.toy;

import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;
import dev.nibble.trainer.objective.ForwardPasses;
import dev.nibble.trainer.objective.LossSum;
import dev.nibble.trainer.objective.Objective;
import java.util.OptionalDouble;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * The cross-entropy of the next token, as plain loops on the host; NaN for batches of one's choice.
 */
public final class ToyLoss implements Objective {
  private final Predicate<Batch> poisoned;
  private final OptionalDouble measured;
  private double sum;

  /** A loss that is what it should be. */
  public ToyLoss() {
    this(batch -> false);
  }

  /** A loss that is NaN for some batches. */
  public ToyLoss(Predicate<Batch> poisoned) {
    this(poisoned, OptionalDouble.empty());
  }

  private ToyLoss(Predicate<Batch> poisoned, OptionalDouble measured) {
    this.poisoned = poisoned;
    this.measured = measured;
  }

  /** A loss that learns as it should, and is always the same where it is only measured. */
  public static ToyLoss measuring(double mean) {
    return new ToyLoss(batch -> false, OptionalDouble.of(mean));
  }

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
    return new LossSum(poisoned.test(batch) ? Double.NaN : sum, positions.length);
  }

  @Override
  public LossSum evaluate(ForwardPasses passes, Batch batch) {
    int[] positions = supervised(batch);
    if (measured.isPresent()) {
      return new LossSum(measured.getAsDouble() * positions.length, positions.length);
    }
    sum = 0;
    passes
        .model()
        .read(
            positions,
            (from, logits) -> sum -= Math.log(softmax(logits)[batch.targets()[positions[from]]]));
    return new LossSum(poisoned.test(batch) ? Double.NaN : sum, positions.length);
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
