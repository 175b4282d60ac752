package dev.nibble.compute.kernels;

import static dev.nibble.compute.kernels.Tolerance.ofSum;

import dev.nibble.compute.tensor.DType;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** RMSNorm, LayerNorm and rotary position embedding. */
class NormConformance extends KernelCases {
  private static final double EPS = 1e-5;

  NormConformance(Supplier<Kernels> set, DType activations) {
    super(set, activations);
  }

  @Test
  void rmsNormForward() {
    for (int[] size : MATRICES) {
      rmsNormForward(size, 0, false);
      rmsNormForward(size, 1, false);
    }
  }

  @Test
  void rmsNormForwardOfHostileRows() {
    rmsNormForward(new int[] {13, 207}, 0, true);
  }

  private void rmsNormForward(int[] size, double offset, boolean hostile) {
    int n = size[0];
    int c = size[1];
    try (Trial t = trial(size)) {
      var x = t.normal("x", n, c);
      if (hostile) {
        makeHostile(x);
        x.set(12L * c, Double.NaN);
      }
      var weight = t.parameter("weight", c);
      var out = t.output("out", n, c).within(ofSum(c));
      var rstd = t.output("rstd", DType.F32, n).within(ofSum(c));
      t.run(
          k -> k.norms().rmsNormForward(out.get(), rstd.get(), x.get(), weight.get(), offset, EPS));
    }
  }

  /** x, and the rstd that forward would have saved. */
  private static Trial.Argument rstdOf(Trial t, Trial.Argument x) {
    var in = x.get();
    int c = Math.toIntExact(in.cols());
    var rstd = t.input("rstd", DType.F32, in.rows());
    for (int n = 0; n < in.rows(); n++) {
      double squares = 0;
      for (int j = 0; j < c; j++) {
        squares += Math.pow(in.getDouble((long) n * c + j), 2);
      }
      rstd.set(n, 1 / Math.sqrt(squares / c + EPS));
    }
    return rstd;
  }

  @Test
  void rmsNormBackward() {
    for (int[] size : MATRICES) {
      rmsNormBackward(size, 0);
      rmsNormBackward(size, 1);
    }
  }

  private void rmsNormBackward(int[] size, double offset) {
    try (Trial t = trial(size)) {
      var dx = t.gradient("dx", size[0], size[1]).within(ofSum(size[1]).ofTermsLike(1));
      var dout = t.normal("dout", size[0], size[1]);
      var x = t.normal("x", size[0], size[1]);
      if (size[1] == 1) {
        // One column: rstd is 1/|x|, and the two halves of dx cancel.
        dx.within(ofSum(1).ofTermsLike(1e3));
      }
      var rstd = rstdOf(t, x);
      var weight = t.parameter("weight", size[1]);
      t.run(k ->
          k.norms()
              .rmsNormBackward(dx.get(), dout.get(), x.get(), rstd.get(), weight.get(), offset));
    }
  }

  @Test
  void rmsNormBackwardWeight() {
    for (int[] size : MATRICES) {
      try (Trial t = trial(size)) {
        var dweight =
            t.gradient("dweight", DType.F32, size[1]).within(ofSum(size[0]).ofTermsLike(1));
        var dout = t.normal("dout", size[0], size[1]);
        var x = t.normal("x", size[0], size[1]);
        var rstd = rstdOf(t, x);
        t.run(k -> k.norms().rmsNormBackwardWeight(dweight.get(), dout.get(), x.get(), rstd.get()));
      }
    }
  }

  @Test
  void layerNormForward() {
    for (int[] size : MATRICES) {
      layerNormForward(size, false);
    }
  }

  @Test
  void layerNormForwardOfHostileRows() {
    layerNormForward(new int[] {13, 207}, true);
  }

  private void layerNormForward(int[] size, boolean hostile) {
    int n = size[0];
    int c = size[1];
    try (Trial t = trial(size)) {
      var x = t.normal("x", n, c);
      if (hostile) {
        makeHostile(x);
        x.set(12L * c, Double.NaN);
      }
      var weight = t.parameter("weight", c);
      var bias = t.parameter("bias", c);
      var out = t.output("out", n, c).within(ofSum(c).ofTermsLike(1));
      var mean = t.output("mean", DType.F32, n).within(ofSum(c).ofTermsLike(1));
      var rstd = t.output("rstd", DType.F32, n).within(ofSum(c));
      t.run(k ->
          k.norms()
              .layerNormForward(
                  out.get(), mean.get(), rstd.get(), x.get(), weight.get(), bias.get(), EPS));
    }
  }

  /** A row far from zero keeps the digits of its spread: the variance is not a difference. */
  @Test
  void layerNormForwardFarFromZero() {
    try (Trial t = trial()) {
      var x = t.normal("x", 3, 64);
      for (int i = 0; i < 3 * 64; i++) {
        x.set(i, 1000 + i % 64);
      }
      var weight = t.parameter("weight", 64);
      var bias = t.parameter("bias", 64);
      var out = t.output("out", 3, 64).within(ofSum(64).ofTermsLike(50));
      var mean = t.output("mean", DType.F32, 3).within(ofSum(64));
      var rstd = t.output("rstd", DType.F32, 3).within(ofSum(64));
      t.run(k ->
          k.norms()
              .layerNormForward(
                  out.get(), mean.get(), rstd.get(), x.get(), weight.get(), bias.get(), EPS));
    }
  }

  private record Statistics(Trial.Argument mean, Trial.Argument rstd) {}

  /** What forward would have saved of x. */
  private static Statistics statisticsOf(Trial t, Trial.Argument x) {
    var in = x.get();
    int c = Math.toIntExact(in.cols());
    var mean = t.input("mean", DType.F32, in.rows());
    var rstd = t.input("rstd", DType.F32, in.rows());
    for (int n = 0; n < in.rows(); n++) {
      double sum = 0;
      double squares = 0;
      for (int j = 0; j < c; j++) {
        double v = in.getDouble((long) n * c + j);
        sum += v;
        squares += v * v;
      }
      mean.set(n, sum / c);
      rstd.set(n, 1 / Math.sqrt(squares / c - Math.pow(sum / c, 2) + EPS));
    }
    return new Statistics(mean, rstd);
  }

  @Test
  void layerNormBackward() {
    for (int[] size : MATRICES) {
      try (Trial t = trial(size)) {
        // One column: rstd is 1/sqrt(eps), and the parts of dx cancel.
        var dx =
            t.gradient("dx", size[0], size[1])
                .within(ofSum(size[1]).ofTermsLike(size[1] == 1 ? 1e3 : 1));
        var dout = t.normal("dout", size[0], size[1]);
        var x = t.normal("x", size[0], size[1]);
        var saved = statisticsOf(t, x);
        var weight = t.parameter("weight", size[1]);
        t.run(k ->
            k.norms()
                .layerNormBackward(
                    dx.get(),
                    dout.get(),
                    x.get(),
                    saved.mean().get(),
                    saved.rstd().get(),
                    weight.get()));
      }
    }
  }

  @Test
  void layerNormBackwardWeight() {
    for (int[] size : MATRICES) {
      try (Trial t = trial(size)) {
        var dweight =
            t.gradient("dweight", DType.F32, size[1]).within(ofSum(size[0]).ofTermsLike(1));
        var dout = t.normal("dout", size[0], size[1]);
        var x = t.normal("x", size[0], size[1]);
        var saved = statisticsOf(t, x);
        t.run(k ->
            k.norms()
                .layerNormBackwardWeight(
                    dweight.get(), dout.get(), x.get(), saved.mean().get(), saved.rstd().get()));
      }
    }
  }

  /** Tokens, heads, head size, rotated pairs: whole heads, odd counts, and partial rotation. */
  private static final int[][] ROPES = {
    {1, 1, 2, 1},
    {3, 2, 8, 4},
    {7, 3, 10, 5},
    {5, 1, 16, 6},
    {17, 5, 64, 32},
    {2, 7, 33, 15},
    {33, 2, 62, 31}
  };

  private interface Rope {
    void turn(
        Kernels k, Trial.Argument x, Trial.Argument cos, Trial.Argument sin, Trial.Argument at);
  }

  private void rope(String name, Rope rope) {
    for (int[] size : ROPES) {
      try (Trial t = trial(size)) {
        var x = t.gradient(name, size[0], size[1], size[2]);
        var cos = t.input("cos", DType.F32, 40, size[3]);
        var sin = t.input("sin", DType.F32, 40, size[3]);
        for (int i = 0; i < 40 * size[3]; i++) {
          int position = i / size[3];
          double angle = position * Math.pow(100, -(i % size[3]) / (double) size[3]);
          cos.set(i, Math.cos(angle));
          sin.set(i, Math.sin(angle));
        }
        var positions = t.indices("positions", 40, size[0]);
        t.run(k -> rope.turn(k, x, cos, sin, positions));
      }
    }
  }

  @Test
  void ropeForward() {
    rope(
        "x",
        (k, x, cos, sin, at) -> k.norms().ropeForward(x.get(), cos.get(), sin.get(), at.get()));
  }

  @Test
  void ropeBackward() {
    rope(
        "dx",
        (k, dx, cos, sin, at) -> k.norms().ropeBackward(dx.get(), cos.get(), sin.get(), at.get()));
  }

  @Test
  void inverseRowNorms() {
    for (int[] size : MATRICES) {
      int rank = Math.min(16, size[1]);
      for (double scale : new double[] {0.5, 2}) {
        try (Trial t = trial(size)) {
          var out = t.output("out", DType.F32, size[0]).within(Tolerance.ofSum(rank));
          var squares = t.parameter("squares", size[0]);
          for (int o = 0; o < size[0]; o++) {
            squares.set(o, 100 + squares.get().getDouble(o));
          }
          var b = t.parameter("b", size[0], rank);
          var p = t.parameter("p", rank, size[0]);
          var q = t.parameter("q", size[0], rank);
          t.run(k ->
              k.norms()
                  .inverseRowNorms(out.get(), squares.get(), b.get(), p.get(), q.get(), scale));
        }
      }
    }
  }

  @Test
  void inverseRowNormsOfZeroIsInfinite() {
    try (Trial t = trial()) {
      var out = t.output("out", DType.F32, 3);
      var squares = t.input("squares", DType.F32, 3);
      var b = t.input("b", DType.F32, 3, 2);
      var p = t.parameter("p", 2, 3);
      var q = t.parameter("q", 3, 2);
      t.run(k -> k.norms().inverseRowNorms(out.get(), squares.get(), b.get(), p.get(), q.get(), 1));
    }
  }
}
