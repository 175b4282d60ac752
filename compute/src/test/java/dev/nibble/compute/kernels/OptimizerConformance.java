package dev.nibble.compute.kernels;

import dev.nibble.compute.kernels.OptimizerKernels.AdafactorStep;
import dev.nibble.compute.kernels.OptimizerKernels.AdamWStep;
import dev.nibble.compute.kernels.OptimizerKernels.LionStep;
import dev.nibble.compute.kernels.OptimizerKernels.SgdStep;
import dev.nibble.compute.tensor.DType;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Gradient norms and the optimizers' steps. */
class OptimizerConformance extends KernelCases {
  OptimizerConformance(Supplier<Kernels> set, DType activations) {
    super(set, activations);
  }

  @Test
  void sumOfSquares() {
    for (int n : SIZES) {
      for (double factor : new double[] {0, 1, 1e15, 1e-18}) {
        try (Trial t = trial(n)) {
          var sum = t.output("out", DType.F64, 1).within(Tolerance.ofSum64(n));
          sum.set(0, 0.5 * factor);
          var x = t.normal("x", DType.F32, factor, n);
          t.run(k -> k.optimizers().sumOfSquares(sum.get(), x.get()));
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
            k.optimizers()
                .adamW(
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
      t.run(k -> k.optimizers().adamW(weight.get(), m.get(), v.get(), gradient.get(), step));
    }
  }

  // ---- 8-bit moments ----

  /** Codes and scales agree to the bit, step after step. */
  @Test
  void adamW8bit() {
    for (int n : new int[] {1, 3, 17, 255, 256, 257, 1000, 4096 + 31}) {
      adamW8bit(n, 1, g -> g);
    }
  }

  @Test
  void adamW8bitOfHostileGradients() {
    for (double factor : new double[] {0, 1e15, 1e-12, 1e-22}) {
      adamW8bit(600, factor, g -> g);
    }
    // A block of zeros, one with a single value, and one in which magnitudes differ by far.
    adamW8bit(
        768,
        1,
        g -> {
          for (int i = 0; i < 768; i++) {
            double scale = i < 256 || (i < 512 && i != 300) ? 0 : Math.pow(10, -(i % 12));
            g.set(i, g.get().getDouble(i) * scale);
          }
          return g;
        });
  }

  private void adamW8bit(int n, double factor, UnaryOperator<Trial.Argument> shape) {
    int blocks = Math.ceilDiv(n, DynamicMap.BLOCK);
    try (Trial t = trial(n)) {
      var weight = t.gradient("weight", DType.F32, n);
      var m = t.codes("m", n);
      var mScales = t.gradient("mScales", DType.F32, blocks).within(Tolerance.EXACT);
      var v = t.codes("v", n);
      var vScales = t.gradient("vScales", DType.F32, blocks).within(Tolerance.EXACT);
      for (int b = 0; b < blocks; b++) {
        mScales.set(b, factor * (1 + b));
        vScales.set(b, factor * factor * (2 + b));
      }
      var gradient = shape.apply(t.normal("gradient", DType.F32, factor, n));
      t.run(k -> {
        for (int step = 1; step <= 3; step++) {
          k.optimizers()
              .adamW8bit(
                  weight.get(),
                  m.get(),
                  mScales.get(),
                  v.get(),
                  vScales.get(),
                  gradient.get(),
                  new AdamWStep(step, 1e-2 / step, 0.9, 0.999, 1e-8, 0.1));
        }
      });
    }
  }

  // ---- Lion, SGD, Adafactor ----

  @Test
  void lion() {
    for (int n : SIZES) {
      try (Trial t = trial(n)) {
        var weight = t.gradient("weight", DType.F32, n);
        var m = t.gradient("m", DType.F32, n).set(0, 0);
        var gradient = t.parameter("gradient", n).set(0, 0);
        t.run(k -> {
          for (int step = 1; step <= 5; step++) {
            var numbers = new LionStep(1e-2 / step, 0.9, 0.99, 0.1);
            k.optimizers().lion(weight.get(), m.get(), gradient.get(), numbers);
          }
        });
      }
    }
  }

  /** Where momentum and gradient nearly cancel, only the float32 sum has the specified sign. */
  @Test
  void lionWhereTermsCancel() {
    try (Trial t = trial()) {
      var weight = t.gradient("weight", DType.F32, 1000).within(Tolerance.EXACT);
      var m = t.gradient("m", DType.F32, 1000);
      var gradient = t.input("gradient", DType.F32, 1000);
      for (int i = 0; i < 1000; i++) {
        weight.set(i, 0);
        gradient.set(i, -9 * (double) m.get().getFloat(i));
      }
      var numbers = new LionStep(0.5, 0.9, 0.99, 0);
      t.run(k -> k.optimizers().lion(weight.get(), m.get(), gradient.get(), numbers));
    }
  }

  @Test
  void sgd() {
    for (int n : SIZES) {
      for (double momentum : new double[] {0, 0.9}) {
        try (Trial t = trial(n)) {
          var weight = t.gradient("weight", DType.F32, n);
          var velocity = t.gradient("velocity", DType.F32, n);
          var gradient = t.parameter("gradient", n);
          var numbers = new SgdStep(1e-2, momentum, 0.1);
          t.run(k -> {
            k.optimizers().sgd(weight.get(), velocity.get(), gradient.get(), numbers);
            k.optimizers().sgd(weight.get(), velocity.get(), gradient.get(), numbers);
          });
        }
      }
    }
  }

  @Test
  void sgdWithoutAVelocity() {
    try (Trial t = trial()) {
      var weight = t.gradient("weight", DType.F32, 207);
      var gradient = t.gradient("gradient", DType.F32, 207).within(Tolerance.EXACT);
      var numbers = new SgdStep(1e-2, 0, 0.1);
      t.run(k -> k.optimizers().sgd(weight.get(), gradient.get(), gradient.get(), numbers));
    }
  }

  @Test
  void adafactor() {
    for (int[] size : MATRICES) {
      for (double factor : new double[] {1, 1e-4}) {
        adafactor(size[0], size[1], factor, 1);
      }
    }
  }

  @Test
  void adafactorOfAVector() {
    for (int n : SIZES) {
      adafactor(1, n, 1, 1);
    }
  }

  /** Updates that are scaled down, and rows and columns of zeros, for which epsilon is there. */
  @Test
  void adafactorClipsAndBearsZeros() {
    adafactor(17, 31, 1, 0.01);
    adafactor(17, 31, 0, 1);
  }

  private void adafactor(int r, int c, double factor, double clip) {
    try (Trial t = trial(r, c)) {
      var weight = t.gradient("weight", DType.F32, r, c);
      var rows = t.gradient("rows", DType.F32, r).within(Tolerance.ofSum(c));
      var columns = t.gradient("columns", DType.F32, c).within(Tolerance.ofSum(r));
      for (int i = 0; i < r; i++) {
        rows.set(i, 0);
      }
      for (int j = 0; j < c; j++) {
        columns.set(j, 0);
      }
      var gradient = t.normal("gradient", DType.F32, factor, r, c);
      if (r > 2 && c > 2) {
        for (int j = 0; j < c; j++) {
          gradient.set(c + j, 0);
        }
      }
      t.run(k -> {
        for (int step = 1; step <= 3; step++) {
          k.optimizers()
              .adafactor(
                  weight.get(),
                  rows.get(),
                  columns.get(),
                  gradient.get(),
                  new AdafactorStep(1e-2, 1 - Math.pow(step, -0.8), 1e-30, clip, 0.1));
        }
      });
    }
  }
}
