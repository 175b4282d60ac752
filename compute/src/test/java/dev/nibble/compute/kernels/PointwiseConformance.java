package dev.nibble.compute.kernels;

import org.junit.jupiter.api.Test;

/** The gated activation and dropout. */
abstract class PointwiseConformance extends KernelCases {
  private static final long SEED = 0x1234_5678_9abc_def0L;
  private static final double[] RATES = {0, 0.05, 0.1, 0.5, 0.9};

  @Test
  void gatedForward() {
    for (Activation a : Activation.values()) {
      for (int n : SIZES) {
        try (Trial t = trial(n)) {
          var gate = t.normal("gate", 3.0, n);
          var up = t.normal("up", n);
          var out = t.output("out", n);
          t.run(k -> k.gatedForward(out.get(), gate.get(), up.get(), a));
        }
      }
    }
  }

  @Test
  void gatedForwardOfHostileRows() {
    for (Activation a : Activation.values()) {
      try (Trial t = trial()) {
        var gate = t.normal("gate", 13, 33);
        makeHostile(gate);
        gate.put(-100, 100, -88, 88, -1e30f, 1e30f, Float.POSITIVE_INFINITY, -20, 20, -5, 5)
            .set(12 * 33, Double.NaN);
        var up = t.normal("up", 13, 33);
        var out = t.output("out", 13, 33);
        t.run(k -> k.gatedForward(out.get(), gate.get(), up.get(), a));
      }
    }
  }

  @Test
  void gatedBackward() {
    for (Activation a : Activation.values()) {
      for (int n : SIZES) {
        try (Trial t = trial(n)) {
          var dgate = t.gradient("dgate", n);
          var dup = t.gradient("dup", n);
          var dout = t.normal("dout", n);
          var gate = t.normal("gate", 3.0, n);
          var up = t.normal("up", n);
          t.run(k -> k.gatedBackward(dgate.get(), dup.get(), dout.get(), gate.get(), up.get(), a));
        }
      }
    }
  }

  @Test
  void gatedBackwardOfHostileRows() {
    for (Activation a : Activation.values()) {
      try (Trial t = trial()) {
        var dgate = t.gradient("dgate", 13, 33);
        var dup = t.gradient("dup", 13, 33);
        var dout = t.normal("dout", 13, 33);
        var gate = t.normal("gate", 13, 33);
        makeHostile(gate);
        gate.set(12 * 33, Double.NaN);
        gate.put(-100, 100, -88, 88, -1e30f, 1e30f, -20, 20, -5, 5);
        var up = t.normal("up", 13, 33);
        t.run(k -> k.gatedBackward(dgate.get(), dup.get(), dout.get(), gate.get(), up.get(), a));
      }
    }
  }

  /** Standard deviations of logits: deep in the straight part, and far beyond the cap. */
  private static final double[] SPREADS = {1e-3, 0.5, 10, 100};

  @Test
  void softCapForward() {
    for (double spread : SPREADS) {
      for (int n : SIZES) {
        try (Trial t = trial(n)) {
          var x = t.gradient("x", n).within(Tolerance.ofSum(1));
          x.put(scaled(x, spread));
          t.run(k -> k.softCapForward(x.get(), 30));
        }
      }
    }
  }

  @Test
  void softCapForwardOfHostileLogits() {
    try (Trial t = trial()) {
      var x =
          t.gradient("x", 33)
              .put(0, -0f, 1e-40f, 1e38f, -1e38f)
              .set(5, Double.NaN)
              .set(6, Double.POSITIVE_INFINITY)
              .set(7, Double.NEGATIVE_INFINITY);
      t.run(k -> k.softCapForward(x.get(), 30));
    }
  }

  @Test
  void softCapBackward() {
    for (double spread : SPREADS) {
      for (int n : SIZES) {
        try (Trial t = trial(n)) {
          var dx = t.gradient("dx", n);
          var x = t.normal("x", spread, n);
          new ReferenceKernels().softCapForward(x.get(), 30);
          t.run(k -> k.softCapBackward(dx.get(), x.get(), 30));
        }
      }
    }
  }

  private static float[] scaled(Trial.Argument x, double factor) {
    float[] values = x.get().toFloats();
    for (int i = 0; i < values.length; i++) {
      values[i] *= (float) factor;
    }
    return values;
  }

  @Test
  void dropoutForward() {
    for (double rate : RATES) {
      for (int n : SIZES) {
        try (Trial t = trial(n)) {
          var x = t.normal("x", n);
          var out = t.output("out", n);
          t.run(k -> k.dropoutForward(out.get(), x.get(), rate, SEED + n));
        }
      }
    }
  }

  @Test
  void dropoutBackward() {
    for (double rate : RATES) {
      for (int n : SIZES) {
        try (Trial t = trial(n)) {
          var dx = t.gradient("dx", n);
          var dout = t.normal("dout", n);
          t.run(k -> k.dropoutBackward(dx.get(), dout.get(), rate, -SEED - n));
        }
      }
    }
  }

  /** Ones in, and the mask out, to the bit: what backward keeps is what forward kept. */
  @Test
  void dropoutBackwardDrawsTheMaskOfForward() {
    try (Trial t = trial()) {
      var ones = t.input("ones", 5000);
      for (int i = 0; i < 5000; i++) {
        ones.set(i, 1);
      }
      var out = t.output("out", 5000).within(Tolerance.EXACT);
      var dx = t.gradient("dx", 5000).put(new float[5000]).within(Tolerance.EXACT);
      t.run(k -> {
        k.dropoutForward(out.get(), ones.get(), 0.5, SEED);
        k.dropoutBackward(dx.get(), ones.get(), 0.5, SEED);
      });
    }
  }
}
