package dev.nibble.compute.kernels;

import static dev.nibble.compute.kernels.Tolerance.ofSum;

import dev.nibble.compute.tensor.DType;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Cross-entropy. */
class LossConformance extends KernelCases {

  LossConformance(Supplier<Kernels> set, DType activations) {
    super(set, activations);
  }

  private void forward(int[] size, double factor, float... first) {
    try (Trial t = trial(size)) {
      Tolerance tolerance = ofSum(size[1]).ofTermsLike(4 * factor);
      var loss = t.output("loss", DType.F32, size[0]).within(tolerance);
      var lse = t.output("lse", DType.F32, size[0]).within(tolerance);
      var logits = t.normal("logits", factor, size[0], size[1]).put(first);
      var targets = t.indices("targets", size[1], size[0]);
      t.run(k -> k.loss().crossEntropyForward(loss.get(), lse.get(), logits.get(), targets.get()));
    }
  }

  @Test
  void crossEntropyForward() {
    for (int[] size : MATRICES) {
      forward(size, 3);
    }
  }

  @Test
  void crossEntropyForwardOfHostileLogits() {
    forward(new int[] {7, 207}, 0);
    forward(new int[] {7, 207}, 1e4);
    forward(
        new int[] {7, 33}, 1, Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY, -3e38f, 80, 1e-38f);
    forward(new int[] {7, 33}, 1, Float.NaN);
  }

  @Test
  void crossEntropyForwardRefusesATargetOutside() {
    for (int target : new int[] {-1, 5}) {
      try (Trial t = trial()) {
        var loss = t.output("loss", DType.F32, 1);
        var lse = t.output("lse", DType.F32, 1);
        var logits = t.normal("logits", 1, 5);
        var targets = t.input("targets", DType.I32, 1);
        targets.get().setLong(0, target);
        assertRefused(
            t,
            loss,
            k -> k.loss().crossEntropyForward(loss.get(), lse.get(), logits.get(), targets.get()));
      }
    }
  }

  @Test
  void crossEntropyBackward() {
    for (int[] size : MATRICES) {
      backward(size, false);
    }
  }

  @Test
  void crossEntropyBackwardInPlace() {
    for (int[] size : MATRICES) {
      backward(size, true);
    }
  }

  private void backward(int[] size, boolean inPlace) {
    int n = size[0];
    int v = size[1];
    try (Trial t = trial(size)) {
      var logits = inPlace ? t.gradient("logits", n, v) : t.normal("logits", n, v);
      if (v > 1) {
        logits.set(v - 1, Float.NEGATIVE_INFINITY);
      }
      var dlogits = inPlace ? logits : t.output("dlogits", n, v);
      dlogits.within(ofSum(1).ofTermsLike(4));
      var scales = t.parameter("scales", n).set(0, 0);
      var targets = t.indices("targets", v, n);
      var lse = t.input("lse", DType.F32, n);
      for (int m = 0; m < n; m++) {
        double sum = 0;
        for (int j = 0; j < v; j++) {
          sum += Math.exp(logits.get().getDouble((long) m * v + j));
        }
        lse.set(m, Math.log(sum));
      }
      t.run(k ->
          k.loss()
              .crossEntropyBackward(
                  dlogits.get(), lse.get(), logits.get(), targets.get(), scales.get()));
    }
  }
}
