package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import org.junit.jupiter.api.Test;

/** The gated activation and dropout. */
abstract class PointwiseConformance extends KernelCases {
  private static final long SEED = 0x1234_5678_9abc_def0L;
  private static final double[] RATES = {0, 0.05, 0.1, 0.5, 0.9};

  @Test
  void swigluForward() {
    for (int n : SIZES) {
      try (Trial t = trial(n)) {
        var gate = t.normal("gate", DType.F32, 3, n);
        var up = t.normal("up", n);
        var out = t.output("out", n);
        t.run(k -> k.swigluForward(out.get(), gate.get(), up.get()));
      }
    }
  }

  @Test
  void swigluForwardOfHostileRows() {
    try (Trial t = trial()) {
      var gate = t.normal("gate", 13, 33);
      makeHostile(gate);
      gate.put(-100, 100, -88, 88, -1e30f, 1e30f, Float.POSITIVE_INFINITY).set(12 * 33, Double.NaN);
      var up = t.normal("up", 13, 33);
      var out = t.output("out", 13, 33);
      t.run(k -> k.swigluForward(out.get(), gate.get(), up.get()));
    }
  }

  @Test
  void swigluBackward() {
    for (int n : SIZES) {
      try (Trial t = trial(n)) {
        var dgate = t.gradient("dgate", n);
        var dup = t.gradient("dup", n);
        var dout = t.normal("dout", n);
        var gate = t.normal("gate", DType.F32, 3, n);
        var up = t.normal("up", n);
        t.run(k -> k.swigluBackward(dgate.get(), dup.get(), dout.get(), gate.get(), up.get()));
      }
    }
  }

  @Test
  void swigluBackwardOfHostileRows() {
    try (Trial t = trial()) {
      var dgate = t.gradient("dgate", 13, 33);
      var dup = t.gradient("dup", 13, 33);
      var dout = t.normal("dout", 13, 33);
      var gate = t.normal("gate", 13, 33);
      makeHostile(gate);
      gate.set(12 * 33, Double.NaN);
      gate.put(-100, 100, -88, 88, -1e30f, 1e30f);
      var up = t.normal("up", 13, 33);
      t.run(k -> k.swigluBackward(dgate.get(), dup.get(), dout.get(), gate.get(), up.get()));
    }
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
      var ones = t.input("ones", DType.F32, 5000);
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
