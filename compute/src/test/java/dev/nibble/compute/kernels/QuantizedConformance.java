package dev.nibble.compute.kernels;

import static dev.nibble.compute.kernels.Tolerance.EXACT;
import static dev.nibble.compute.kernels.Tolerance.ofSum;

import dev.nibble.compute.tensor.DType;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** 4-bit quantisation, to the bit, and linear maps with 4-bit weights. */
abstract class QuantizedConformance extends KernelCases {
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

  private interface Body {
    void of(Trial t, float[] codebook, boolean nested, int rows, int cols, int block);
  }

  private void each(Body body) {
    for (float[] codebook : new float[][] {QuantizedArguments.NF4, QuantizedArguments.FP4}) {
      for (boolean nested : new boolean[] {false, true}) {
        for (int[] s : SHAPES) {
          try (Trial t = trial(s)) {
            body.of(t, codebook, nested, s[0], s[1], s[2]);
          }
        }
      }
    }
  }

  @Test
  void quantize() {
    for (DType dtype : WEIGHTS) {
      each((t, codebook, nested, rows, cols, block) -> {
        var in = t.normal("in", dtype, 0.02, rows, cols);
        var out = QuantizedArguments.output(t, codebook, nested, rows, cols, block);
        t.run(k -> k.quantize(out.get(), in.get()));
      });
    }
  }

  /** Values on and beside the middle between two entries, where one rounding too many shows. */
  @Test
  void quantizeBesideTheMiddles() {
    for (float[] codebook : new float[][] {QuantizedArguments.NF4, QuantizedArguments.FP4}) {
      for (float factor : new float[] {1, 0.3f, 7e-5f}) {
        try (Trial t = trial()) {
          var in = t.normal("in", 64, 70);
          float[] sorted = codebook.clone();
          Arrays.sort(sorted);
          for (int i = 0; i < 64 * 70; i++) {
            int c = t.random().nextInt(15);
            float middle = (sorted[c] + sorted[c + 1]) * 0.5f * factor;
            in.set(
                i, i % 64 == 0 ? factor : middle + (t.random().nextInt(5) - 2) * Math.ulp(middle));
          }
          var out = QuantizedArguments.output(t, codebook, false, 64, 70, 64);
          t.run(k -> k.quantize(out.get(), in.get()));
        }
      }
    }
  }

  @Test
  void quantizeOfHostileBlocks() {
    for (boolean nested : new boolean[] {false, true}) {
      try (Trial t = trial()) {
        var in = t.normal("in", 13, 64);
        makeHostile(in);
        in.put(0, -0f, 1e-39f, -1e-39f);
        var out = QuantizedArguments.output(t, QuantizedArguments.NF4, nested, 13, 64, 64);
        t.run(k -> k.quantize(out.get(), in.get()));
      }
    }
    for (int cols : new int[] {64, 70, 128}) {
      try (Trial t = trial()) {
        var zeros = t.input("in", DType.F32, 3, cols);
        var out = QuantizedArguments.output(t, QuantizedArguments.NF4, true, 3, cols, 64);
        t.run(k -> k.quantize(out.get(), zeros.get()));
      }
    }
  }

  @Test
  void dequantize() {
    for (DType dtype : WEIGHTS) {
      each((t, codebook, nested, rows, cols, block) -> {
        var in = QuantizedArguments.input(t, codebook, nested, rows, cols, block);
        var out = t.output("out", dtype, rows, cols).within(EXACT);
        t.run(k -> k.dequantize(out.get(), in.get()));
      });
    }
  }

  @Test
  void quantizedLinearForward() {
    for (int n : new int[] {1, 17, 64}) {
      each((t, codebook, nested, rows, cols, block) -> {
        var x = t.normal("x", n, cols);
        var weight = QuantizedArguments.input(t, codebook, nested, rows, cols, block);
        var out = t.output("out", n, rows).within(ofSum(cols).ofTermsLike(Math.sqrt(cols)));
        t.run(k -> k.quantizedLinearForward(out.get(), x.get(), weight.get()));
      });
    }
  }

  @Test
  void quantizedLinearBackward() {
    for (int n : new int[] {1, 17, 64}) {
      each((t, codebook, nested, rows, cols, block) -> {
        var dx = t.gradient("dx", n, cols).within(ofSum(rows).ofTermsLike(Math.sqrt(rows)));
        var dout = t.normal("dout", n, rows);
        var weight = QuantizedArguments.input(t, codebook, nested, rows, cols, block);
        t.run(k -> k.quantizedLinearBackward(dx.get(), dout.get(), weight.get()));
      });
    }
  }
}
