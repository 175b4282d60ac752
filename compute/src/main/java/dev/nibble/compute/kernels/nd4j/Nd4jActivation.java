package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.kernels.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/** {@link Activation} in ND4J operations; what is given is kept by {@code work}. */
final class Nd4jActivation {
  private static final double SLOPE = 2 * Math.sqrt(2 / Math.PI);
  private static final double CUBIC = SLOPE * 0.044715;

  /** Where GELU's logistic function has long been 0 or 1, and a square is far from overflow. */
  private static final double BOUND = 20;

  private Nd4jActivation() {}

  /** s(w(x)). */
  static INDArray logistic(Nd4jWork work, INDArray x, Activation a) {
    return switch (a) {
      case SILU -> work.keep(Transforms.sigmoid(x, true));
      case GELU_TANH -> {
        INDArray w = work.keep(x.mul(x)).muli(CUBIC).addi(SLOPE).muli(x);
        yield Transforms.sigmoid(w, false);
      }
    };
  }

  /** s + x s (1 - s) w'(x). */
  static INDArray slope(Nd4jWork work, INDArray x, INDArray s, Activation a) {
    INDArray rest = work.keep(s.rsub(1));
    return switch (a) {
      case SILU -> rest.muli(x).addi(1).muli(s);
      case GELU_TANH -> {
        INDArray t = work.keep(Transforms.max(x, -BOUND, true));
        Transforms.min(t, BOUND, false);
        INDArray inner = work.keep(t.mul(t)).muli(3 * CUBIC).addi(SLOPE).muli(t);
        yield rest.muli(inner).addi(1).muli(s);
      }
    };
  }
}
