package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Activations, dropout, and operations on columns. */
class PointwiseConformance extends KernelCases {
  private static final long SEED = 0x1234_5678_9abc_def0L;
  private static final double[] RATES = {0, 0.05, 0.1, 0.5, 0.9};

  PointwiseConformance(Supplier<Kernels> set, DType activations) {
    super(set, activations);
  }

  @Test
  void gatedForward() {
    for (Activation a : Activation.values()) {
      for (int n : SIZES) {
        try (Trial t = trial(n)) {
          var gate = t.normal("gate", 3.0, n);
          var up = t.normal("up", n);
          var out = t.output("out", n);
          t.run(k -> k.pointwise().gatedForward(out.get(), gate.get(), up.get(), a));
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
        t.run(k -> k.pointwise().gatedForward(out.get(), gate.get(), up.get(), a));
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
          t.run(k ->
              k.pointwise()
                  .gatedBackward(dgate.get(), dup.get(), dout.get(), gate.get(), up.get(), a));
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
        t.run(k ->
            k.pointwise()
                .gatedBackward(dgate.get(), dup.get(), dout.get(), gate.get(), up.get(), a));
      }
    }
  }

  @Test
  void geluForward() {
    for (Gelu form : Gelu.values()) {
      for (int n : SIZES) {
        try (Trial t = trial(n)) {
          var x = t.normal("x", 3.0, n);
          var out = t.output("out", n);
          t.run(k -> k.pointwise().geluForward(out.get(), x.get(), form));
        }
      }
    }
  }

  /** Each number in a row of its own, so that the tail is held to its own size. */
  @Test
  void geluForwardKeepsTheDigitsOfTheTail() {
    for (Gelu form : Gelu.values()) {
      try (Trial t = trial()) {
        var x = t.input("x", DType.F32, 33, 1);
        for (int i = 0; i < 33; i++) {
          x.set(i, (i - 16) / 4.0);
        }
        var out = t.output("out", DType.F32, 33, 1);
        t.run(k -> k.pointwise().geluForward(out.get(), x.get(), form));
      }
    }
  }

  @Test
  void geluForwardOfHostileRows() {
    for (Gelu form : Gelu.values()) {
      try (Trial t = trial()) {
        var x = t.normal("x", 13, 33);
        makeHostile(x);
        x.put(-100, 100, -88, 88, -1e30f, 1e30f, Float.POSITIVE_INFINITY, -20, 20, -5, 5, 0, -0f)
            .set(12 * 33, Double.NaN);
        var out = t.output("out", 13, 33);
        t.run(k -> k.pointwise().geluForward(out.get(), x.get(), form));
      }
    }
  }

  @Test
  void geluBackward() {
    for (Gelu form : Gelu.values()) {
      for (int n : SIZES) {
        try (Trial t = trial(n)) {
          var dx = t.gradient("dx", n);
          var dout = t.normal("dout", n);
          var x = t.normal("x", 3.0, n);
          t.run(k -> k.pointwise().geluBackward(dx.get(), dout.get(), x.get(), form));
        }
      }
    }
  }

  @Test
  void geluBackwardOfHostileRows() {
    for (Gelu form : Gelu.values()) {
      try (Trial t = trial()) {
        var dx = t.gradient("dx", 13, 33);
        var dout = t.normal("dout", 13, 33);
        var x = t.normal("x", 13, 33);
        makeHostile(x);
        x.set(12 * 33, Double.NaN);
        x.put(-100, 100, -88, 88, -1e18f, 1e18f, -20, 20, -5, 5, 0, -0f);
        t.run(k -> k.pointwise().geluBackward(dx.get(), dout.get(), x.get(), form));
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
          t.run(k -> k.pointwise().softCapForward(x.get(), 30));
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
      t.run(k -> k.pointwise().softCapForward(x.get(), 30));
    }
  }

  @Test
  void softCapBackward() {
    for (double spread : SPREADS) {
      for (int n : SIZES) {
        try (Trial t = trial(n)) {
          var dx = t.gradient("dx", n);
          var x = t.normal("x", spread, n);
          new ReferenceKernels().pointwise().softCapForward(x.get(), 30);
          t.run(k -> k.pointwise().softCapBackward(dx.get(), x.get(), 30));
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
          t.run(k -> k.pointwise().dropoutForward(out.get(), x.get(), rate, SEED + n));
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
          t.run(k -> k.pointwise().dropoutBackward(dx.get(), dout.get(), rate, -SEED - n));
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
        k.pointwise().dropoutForward(out.get(), ones.get(), 0.5, SEED);
        k.pointwise().dropoutBackward(dx.get(), ones.get(), 0.5, SEED);
      });
    }
  }

  @Test
  void add() {
    for (int n : SIZES) {
      try (Trial t = trial(n)) {
        var a = t.normal("a", n);
        var b = t.normal("b", n);
        var out = t.output("out", n);
        t.run(k -> k.pointwise().add(out.get(), a.get(), b.get()));
      }
    }
  }

  @Test
  void addInPlaceAndWithNonFinite() {
    float[] odd = {
      Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 0, -0f, 1e38f, 1e-38f
    };
    try (Trial t = trial()) {
      var a = t.gradient("a", 50).put(odd);
      var b = t.normal("b", 50);
      t.run(k -> k.pointwise().add(a.get(), a.get(), b.get()));
    }
    try (Trial t = trial()) {
      var a = t.normal("a", 50).put(odd);
      var b = t.gradient("b", 50);
      t.run(k -> k.pointwise().add(b.get(), a.get(), b.get()));
    }
  }

  @Test
  void scale() {
    for (int n : SIZES) {
      for (double factor : new double[] {0, -2.5, 1 / 3.0}) {
        try (Trial t = trial(n)) {
          var x = t.gradient("x", n);
          t.run(k -> k.pointwise().scale(x.get(), factor));
        }
      }
    }
  }

  @Test
  void scaleColumns() {
    for (int[] size : MATRICES) {
      try (Trial t = trial(size)) {
        var out = t.output("out", size[0], size[1]);
        var x = t.normal("x", size[0], size[1]);
        var factors = t.parameter("factors", size[1]);
        t.run(k -> k.pointwise().scaleColumns(out.get(), x.get(), factors.get()));
      }
      try (Trial t = trial(size)) {
        var x = t.gradient("x", size[0], size[1]);
        makeHostile(x);
        var factors = t.parameter("factors", size[1]);
        t.run(k -> k.pointwise().scaleColumns(x.get(), x.get(), factors.get()));
      }
    }
  }

  @Test
  void columnDots() {
    for (int[] size : MATRICES) {
      try (Trial t = trial(size)) {
        var out =
            t.gradient("out", DType.F32, size[1]).within(Tolerance.ofSum(size[0]).ofTermsLike(1));
        var a = t.normal("a", size[0], size[1]);
        var b = t.normal("b", size[0], size[1]);
        t.run(k -> k.pointwise().columnDots(out.get(), a.get(), b.get()));
      }
    }
  }

  @Test
  void addNoise() {
    for (int cols : new int[] {1, 7, 64, 207}) {
      try (Trial t = trial(cols)) {
        var x = t.gradient("x", 17, cols);
        var segments = t.input("segments", DType.I32, 2, 4);
        int[] rows = {0, 5, 0, 5, 5, 11, 5, 11};
        for (int i = 0; i < rows.length; i++) {
          segments.get().setLong(i, rows[i]);
        }
        t.run(k -> k.pointwise().addNoise(x.get(), segments.get(), 5, 0x5eed + cols));
      }
    }
  }
}
