package dev.nibble.compute.kernels;

import static dev.nibble.compute.kernels.Tolerance.ofSum;

import dev.nibble.compute.tensor.DType;
import org.junit.jupiter.api.Test;

/** Cross-entropy, the gradient's norm and the optimizer. */
abstract class LossConformance extends KernelCases {

  private void forward(int[] size, double factor, float... first) {
    try (Trial t = trial(size)) {
      Tolerance tolerance = ofSum(size[1]).ofTermsLike(4 * factor);
      var loss = t.output("loss", DType.F32, size[0]).within(tolerance);
      var lse = t.output("lse", DType.F32, size[0]).within(tolerance);
      var logits = t.normal("logits", factor, size[0], size[1]).put(first);
      var targets = t.indices("targets", size[1], size[0]);
      t.run(k -> k.crossEntropyForward(loss.get(), lse.get(), logits.get(), targets.get()));
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
            k -> k.crossEntropyForward(loss.get(), lse.get(), logits.get(), targets.get()));
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
      var targets = t.indices("targets", v, n);
      var lse = t.input("lse", DType.F32, n);
      for (int m = 0; m < n; m++) {
        double sum = 0;
        for (int j = 0; j < v; j++) {
          sum += Math.exp(logits.get().getDouble((long) m * v + j));
        }
        lse.set(m, Math.log(sum));
      }
      t.run(
          k -> k.crossEntropyBackward(dlogits.get(), lse.get(), logits.get(), targets.get(), 0.25));
    }
  }

  @Test
  void sumOfSquares() {
    for (int n : SIZES) {
      for (double factor : new double[] {0, 1, 1e15, 1e-18}) {
        try (Trial t = trial(n)) {
          var sum = t.output("out", DType.F64, 1).within(Tolerance.ofSum64(n));
          sum.set(0, 0.5 * factor);
          var x = t.normal("x", DType.F32, factor, n);
          t.run(k -> k.sumOfSquares(sum.get(), x.get()));
        }
      }
    }
  }

  @Test
  void adamW() {
    for (int n : SIZES) {
      try (Trial t = trial(n)) {
        var weight = t.gradient("weight", DType.F32, n);
        var m = t.gradient("m", DType.F32, n).put(new float[n]);
        var v = t.gradient("v", DType.F32, n).put(new float[n]);
        var gradient = t.parameter("gradient", n).set(0, 0);
        t.run(k -> {
          for (int step = 1; step <= 5; step++) {
            k.adamW(
                weight.get(),
                m.get(),
                v.get(),
                gradient.get(),
                new AdamWStep(step, 1e-2 / step, 0.9, 0.999, 1e-8, 0.1));
          }
        });
      }
    }
  }

  @Test
  void adamWLateAndWithoutDecay() {
    try (Trial t = trial()) {
      var weight = t.gradient("weight", DType.F32, 207);
      var m = t.gradient("m", DType.F32, 207);
      var v = t.gradient("v", DType.F32, 207);
      for (int i = 0; i < 207; i++) {
        v.set(i, Math.pow(v.get().getDouble(i), 2));
      }
      var gradient = t.normal("gradient", DType.F32, 1e-3, 207).set(206, Double.NaN);
      var step = new AdamWStep(100_000, 1e-3, 0.9, 0.95, 1e-6, 0);
      t.run(k -> k.adamW(weight.get(), m.get(), v.get(), gradient.get(), step));
    }
  }
}
