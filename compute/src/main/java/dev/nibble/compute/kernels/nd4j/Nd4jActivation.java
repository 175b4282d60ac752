package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.kernels.Activation;
import dev.nibble.compute.tensor.Tensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Gated activations and the soft cap in ND4J operations. */
final class Nd4jActivation {
  private static final double SLOPE = 2 * Math.sqrt(2 / Math.PI);
  private static final double CUBIC = SLOPE * 0.044715;

  /** Where GELU's logistic function has long been 0 or 1, and a square is far from overflow. */
  private static final double BOUND = 20;

  private Nd4jActivation() {}

  static void gatedForward(Tensor out, Tensor gate, Tensor up, Activation a) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray g = work.flat(gate);
      logistic(work, g, a).muli(g).muli(work.flat(up), work.flat(out));
    }
  }

  static void gatedBackward(
      Tensor dgate, Tensor dup, Tensor dout, Tensor gate, Tensor up, Activation a) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray g = work.flat(gate);
      INDArray d = work.flat(dout);
      INDArray s = logistic(work, g, a);
      work.flat(dup).addi(work.keep(s.mul(g)).muli(d));
      work.flat(dgate).addi(slope(work, g, s, a).muli(work.flat(up)).muli(d));
    }
  }

  /** s(w(x)). */
  private static INDArray logistic(Nd4jWork work, INDArray x, Activation a) {
    return switch (a) {
      case SILU -> work.keep(Transforms.sigmoid(x, true));
      case GELU_TANH -> {
        INDArray w = work.keep(x.mul(x)).muli(CUBIC).addi(SLOPE).muli(x);
        yield Transforms.sigmoid(w, false);
      }
    };
  }

  /** s + x s (1 - s) w'(x). */
  private static INDArray slope(Nd4jWork work, INDArray x, INDArray s, Activation a) {
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

  static void softCapForward(Tensor x, double cap) {
    for (long from = 0; from < x.elements(); from += Nd4jKernels.MOST_ELEMENTS) {
      long n = Math.min(Nd4jKernels.MOST_ELEMENTS, x.elements() - from);
      try (Nd4jWork work = new Nd4jWork()) {
        INDArray logits = work.flat(x.part(from, n));
        // ND4J's float32 tanh of a small number has few right digits.
        INDArray wide = work.cast(logits, DataType.DOUBLE).divi(cap);
        logits.assign(Transforms.tanh(wide, false).muli(cap));
      }
    }
  }

  static void softCapBackward(Tensor dx, Tensor x, double cap) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray t = work.keep(work.flat(x).div(cap));
      work.flat(dx).muli(t.muli(t).rsubi(1));
    }
  }
}
