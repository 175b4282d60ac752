package dev.nibble.compute.kernels;

import static dev.nibble.compute.kernels.Tolerance.EXACT;
import static dev.nibble.compute.kernels.Tolerance.ofSum;

import dev.nibble.compute.tensor.DType;
import java.util.Arrays;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** 4-bit quantisation, to the bit, and linear maps with 4-bit weights. */
class QuantizedConformance extends KernelCases {
  /**
   * Rows, columns, block: whole blocks, blocks that straddle rows, short and odd ends, many scales.
   */
  private static final int[][] SHAPES = {
    {1, 1, 64},
    {1, 64, 64},
    {7, 19, 64},
    {3, 64, 32},
    {33, 31, 64},
    {16, 100, 128},
    {5, 207, 256},
    {64, 64, 64},
    {129, 130, 32}
  };

  QuantizedConformance(Supplier<Kernels> set, DType activations) {
    super(set, activations);
  }

  private interface Body {
    void of(Trial t, float[] codebook, boolean nested, int[] shape, int turn);
  }

  /**
   * Every codebook, kind of scales and shape; {@code turn} counts up, to take other choices by
   * turns.
   */
  private void each(Body body) {
    int turn = 0;
    for (float[] codebook : new float[][] {QuantizedArguments.NF4, QuantizedArguments.FP4}) {
      for (boolean nested : new boolean[] {false, true}) {
        for (int[] shape : SHAPES) {
          try (Trial t = trial(shape)) {
            body.of(t, codebook, nested, shape, turn++);
          }
        }
        turn++;
      }
    }
  }

  private static DType dtype(int turn) {
    return WEIGHTS.get(turn % WEIGHTS.size());
  }

  private static int tokens(int turn) {
    return new int[] {1, 17, 64}[turn % 3];
  }

  @Test
  void quantize() {
    each((t, codebook, nested, shape, turn) -> {
      var in = t.normal("in", dtype(turn), 0.02, shape[0], shape[1]);
      var out = QuantizedArguments.output(t, codebook, nested, shape);
      t.run(k -> k.products().quantize(out.get(), in.get()));
    });
  }

  /** Values on and beside the middle between two entries, where one rounding too many shows. */
  @Test
  void quantizeBesideTheMiddles() {
    for (float[] codebook : new float[][] {QuantizedArguments.NF4, QuantizedArguments.FP4}) {
      for (float factor : new float[] {1, 0.3f, 7e-5f}) {
        try (Trial t = trial()) {
          var in = t.parameter("in", 64, 70);
          float[] sorted = codebook.clone();
          Arrays.sort(sorted);
          for (int i = 0; i < 64 * 70; i++) {
            int c = t.random().nextInt(15);
            float middle = (sorted[c] + sorted[c + 1]) * 0.5f * factor;
            in.set(
                i, i % 64 == 0 ? factor : middle + (t.random().nextInt(5) - 2) * Math.ulp(middle));
          }
          var out = QuantizedArguments.output(t, codebook, false, 64, 70, 64);
          t.run(k -> k.products().quantize(out.get(), in.get()));
        }
      }
    }
  }

  @Test
  void quantizeOfHostileBlocks() {
    for (boolean nested : new boolean[] {false, true}) {
      try (Trial t = trial()) {
        var in = t.parameter("in", 13, 64);
        makeHostile(in);
        in.put(0, -0f, 1e-39f, -1e-39f);
        var out = QuantizedArguments.output(t, QuantizedArguments.NF4, nested, 13, 64, 64);
        t.run(k -> k.products().quantize(out.get(), in.get()));
      }
    }
    for (int cols : new int[] {64, 70, 128}) {
      try (Trial t = trial()) {
        var zeros = t.input("in", DType.F32, 3, cols);
        var out = QuantizedArguments.output(t, QuantizedArguments.NF4, true, 3, cols, 64);
        t.run(k -> k.products().quantize(out.get(), zeros.get()));
      }
    }
  }

  @Test
  void dequantize() {
    each((t, codebook, nested, shape, turn) -> {
      var in = QuantizedArguments.input(t, codebook, nested, shape);
      var out = t.output("out", dtype(turn), shape[0], shape[1]).within(EXACT);
      t.run(k -> k.products().dequantize(out.get(), in.get()));
    });
  }

  @Test
  void quantizedLinearForward() {
    each((t, codebook, nested, shape, turn) -> {
      int n = tokens(turn);
      int terms = shape[1];
      var x = t.normal("x", n, shape[1]);
      var weight = QuantizedArguments.input(t, codebook, nested, shape);
      var out = t.output("out", n, shape[0]).within(ofSum(terms).ofTermsLike(Math.sqrt(terms)));
      t.run(k -> k.products().quantizedLinearForward(out.get(), x.get(), weight.get()));
    });
  }

  @Test
  void quantizedLinearBackward() {
    each((t, codebook, nested, shape, turn) -> {
      int n = tokens(turn);
      int terms = shape[0];
      var dx = t.gradient("dx", n, shape[1]).within(ofSum(terms).ofTermsLike(Math.sqrt(terms)));
      var dout = t.normal("dout", n, shape[0]);
      var weight = QuantizedArguments.input(t, codebook, nested, shape);
      t.run(k -> k.products().quantizedLinearBackward(dx.get(), dout.get(), weight.get()));
    });
  }
}
