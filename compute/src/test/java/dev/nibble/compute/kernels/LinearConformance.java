package dev.nibble.compute.kernels;

import static dev.nibble.compute.kernels.Tolerance.ofSum;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.tensor.DType;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Linear maps with dense weights. */
class LinearConformance extends KernelCases {
  /** Tokens, inputs, outputs. */
  private static final int[][] SHAPES = {
    {1, 1, 1},
    {1, 64, 33},
    {3, 7, 15},
    {17, 1, 31},
    {16, 16, 1},
    {33, 31, 17},
    {1, 1000, 3},
    {64, 64, 64},
    {7, 207, 16},
    {65, 33, 207},
    {207, 15, 7}
  };

  LinearConformance(Supplier<Kernels> set, DType activations) {
    super(set, activations);
  }

  private interface Body {
    void of(Trial t, int n, int in, int out, DType weight);
  }

  private void each(List<DType> weights, Body body) {
    for (DType weight : weights) {
      for (int[] s : SHAPES) {
        try (Trial t = trial(s)) {
          body.of(t, s[0], s[1], s[2], weight);
        }
      }
    }
  }

  private static Tolerance sum(int terms) {
    return ofSum(terms).ofTermsLike(Math.sqrt(terms));
  }

  @Test
  void linearForward() {
    each(
        WEIGHTS,
        (t, n, i, o, dtype) -> {
          var x = t.normal("x", n, i);
          var weight = t.normal("weight", dtype, 1, o, i);
          var out = t.output("out", n, o).within(sum(i));
          t.run(k -> k.products().linearForward(out.get(), x.get(), weight.get()));
        });
  }

  @Test
  void linearForwardOfHostileRows() {
    try (Trial t = trial()) {
      var x = t.normal("x", 14, 33);
      makeHostile(x);
      x.set(12 * 33, Double.NaN);
      x.set(13 * 33, Double.POSITIVE_INFINITY);
      var weight = t.parameter("weight", 17, 33);
      var out = t.output("out", 14, 17).within(ofSum(33));
      t.run(k -> k.products().linearForward(out.get(), x.get(), weight.get()));
    }
  }

  @Test
  void linearForwardRefusesAnotherShape() {
    try (Trial t = trial()) {
      var x = t.normal("x", 3, 8);
      var weight = t.parameter("weight", 5, 7);
      var out = t.output("out", 3, 5);
      assertThatThrownBy(() -> kernels().products().linearForward(out.get(), x.get(), weight.get()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("[3, 8]")
          .hasMessageContaining("[5, 7]");
    }
  }

  @Test
  void linearForwardAdd() {
    each(
        WEIGHTS,
        (t, n, i, o, dtype) -> {
          var out = t.gradient("out", n, o).within(sum(i));
          var x = t.normal("x", n, i);
          var weight = t.normal("weight", dtype, 1, o, i);
          t.run(k -> k.products().linearForwardAdd(out.get(), x.get(), weight.get(), 0.75));
        });
  }

  @Test
  void linearBackward() {
    each(
        WEIGHTS,
        (t, n, i, o, dtype) -> {
          var dx = t.gradient("dx", n, i).within(sum(o));
          var dout = t.normal("dout", n, o);
          var weight = t.normal("weight", dtype, 1, o, i);
          t.run(k -> k.products().linearBackward(dx.get(), dout.get(), weight.get(), -1.5));
        });
  }

  @Test
  void linearBackwardWeight() {
    each(
        List.of(DType.F32),
        (t, n, i, o, dtype) -> {
          var dweight = t.gradient("dweight", DType.F32, o, i).within(sum(n));
          var dout = t.normal("dout", n, o);
          var x = t.normal("x", n, i);
          t.run(k -> k.products().linearBackwardWeight(dweight.get(), dout.get(), x.get(), 0.5));
        });
  }

  @Test
  void biasForward() {
    for (DType dtype : WEIGHTS) {
      for (int[] size : MATRICES) {
        try (Trial t = trial(size)) {
          var out = t.gradient("out", size[0], size[1]);
          var bias = t.normal("bias", dtype, 1, size[1]);
          t.run(k -> k.products().biasForward(out.get(), bias.get()));
        }
      }
    }
  }

  @Test
  void biasBackward() {
    for (int[] size : MATRICES) {
      try (Trial t = trial(size)) {
        var dbias = t.gradient("dbias", DType.F32, size[1]).within(sum(size[0]));
        var dout = t.normal("dout", size[0], size[1]);
        t.run(k -> k.products().biasBackward(dbias.get(), dout.get()));
      }
    }
  }
}
