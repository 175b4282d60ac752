package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.DoubleBinaryOperator;
import java.util.function.IntToDoubleFunction;

/**
 * The specification of {@link Kernels}: plain loops over host tensors, all arithmetic in float64,
 * one rounding when a result is stored. It also takes F64 tensors, so that a backward can be
 * checked against differences of its forward. Slow on purpose.
 */
class ReferenceKernels implements Kernels {

  @Override
  public String name() {
    return "reference";
  }

  @Override
  public Memory memory() {
    return Memory.host();
  }

  @Override
  public DType activations() {
    return DType.F32;
  }

  @Override
  public void close() {}

  private static int size(Tensor t) {
    return Math.toIntExact(t.elements());
  }

  private static int rows(Tensor t) {
    return Math.toIntExact(t.rows());
  }

  static int cols(Tensor t) {
    return Math.toIntExact(t.cols());
  }

  static double[] values(Tensor t) {
    double[] a = new double[size(t)];
    for (int i = 0; i < a.length; i++) {
      a[i] = t.getDouble(i);
    }
    return a;
  }

  static void store(Tensor t, IntToDoubleFunction value) {
    for (int i = 0; i < t.elements(); i++) {
      if (t.dtype().isFloating()) {
        t.setFloat(i, value.applyAsDouble(i));
      } else {
        t.setLong(i, Math.round(value.applyAsDouble(i)));
      }
    }
  }

  private static void accumulate(Tensor t, IntToDoubleFunction value) {
    store(t, i -> t.getDouble(i) + value.applyAsDouble(i));
  }

  private static void require(boolean fits, String what, Tensor... tensors) {
    if (!fits) {
      throw new IllegalArgumentException(what + ": " + Arrays.toString(tensors));
    }
  }

  private static int index(Tensor indices, int i, long limit) {
    return Objects.checkIndex(indices.getInt(i), Math.toIntExact(limit));
  }

  static double sum(int n, IntToDoubleFunction term) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += term.applyAsDouble(i);
    }
    return sum;
  }

  private static double logistic(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  // ---- moving data ----

  @Override
  public void fill(Tensor out, double value) {
    store(out, i -> value);
  }

  @Override
  public void copy(Tensor out, Tensor in) {
    require(out.elements() == in.elements(), "copy between sizes", out, in);
    if (in.dtype().isFloating()) {
      store(out, in::getDouble);
    } else {
      store(out, in::getLong);
    }
  }

  private void zip(Tensor out, Tensor a, Tensor b, DoubleBinaryOperator f) {
    require(
        out.elements() == a.elements() && a.elements() == b.elements(), "sizes differ", out, a, b);
    store(out, i -> f.applyAsDouble(a.getDouble(i), b.getDouble(i)));
  }

  @Override
  public void add(Tensor out, Tensor a, Tensor b) {
    zip(out, a, b, Double::sum);
  }

  @Override
  public void scale(Tensor x, double factor) {
    store(x, i -> x.getDouble(i) * factor);
  }

  @Override
  public void gatherRowsForward(Tensor out, Tensor table, Tensor rows) {
    int c = cols(table);
    require(out.rows() == rows.elements() && out.cols() == c, "gatherRows", out, table, rows);
    store(out, i -> table.getDouble((long) index(rows, i / c, table.rows()) * c + i % c));
  }

  @Override
  public void gatherRowsBackward(Tensor dtable, Tensor dout, Tensor rows) {
    int c = cols(dtable);
    double[] sums = values(dtable);
    for (int i = 0; i < size(dout); i++) {
      sums[index(rows, i / c, dtable.rows()) * c + i % c] += dout.getDouble(i);
    }
    store(dtable, i -> sums[i]);
  }

  @Override
  public void columnsForward(Tensor out, Tensor x, long from) {
    requireColumns(x, out, from);
    int w = cols(out);
    store(out, i -> x.getDouble(i / w * x.cols() + from + i % w));
  }

  @Override
  public void columnsBackward(Tensor dx, Tensor dout, long from) {
    requireColumns(dx, dout, from);
    int w = cols(dout);
    for (int i = 0; i < size(dout); i++) {
      long at = i / w * dx.cols() + from + i % w;
      dx.setFloat(at, dx.getDouble(at) + dout.getDouble(i));
    }
  }

  private static void requireColumns(Tensor whole, Tensor part, long from) {
    boolean inside = from >= 0 && from + part.cols() <= whole.cols();
    require(inside && whole.rows() == part.rows(), "columns", whole, part);
  }

  // ---- normalisation and position ----

  @Override
  public void rmsNormForward(
      Tensor out, Tensor rstd, Tensor x, Tensor weight, double offset, double eps) {
    int c = cols(x);
    double[] v = values(x);
    for (int n = 0; n < rows(x); n++) {
      int row = n * c;
      rstd.setFloat(n, 1 / Math.sqrt(sum(c, j -> v[row + j] * v[row + j]) / c + eps));
    }
    store(out, i -> v[i] * rstd.getDouble(i / c) * (offset + weight.getDouble(i % c)));
  }

  @Override
  public void rmsNormBackward(
      Tensor dx, Tensor dout, Tensor x, Tensor rstd, Tensor weight, double offset) {
    int c = cols(x);
    double[] g = values(dout);
    double[] h = values(x);
    double[] mean = new double[rows(x)];
    for (int i = 0; i < h.length; i++) {
      g[i] *= offset + weight.getDouble(i % c);
      h[i] *= rstd.getDouble(i / c);
      mean[i / c] += g[i] * h[i] / c;
    }
    accumulate(dx, i -> rstd.getDouble(i / c) * (g[i] - h[i] * mean[i / c]));
  }

  @Override
  public void rmsNormBackwardWeight(Tensor dweight, Tensor dout, Tensor x, Tensor rstd) {
    int c = cols(x);
    accumulate(
        dweight,
        j ->
            sum(
                rows(x),
                n -> dout.getDouble(n * c + j) * x.getDouble(n * c + j) * rstd.getDouble(n)));
  }

  @Override
  public void ropeForward(Tensor x, Tensor cos, Tensor sin, Tensor positions) {
    turn(x, cos, sin, positions, 1);
  }

  @Override
  public void ropeBackward(Tensor dx, Tensor cos, Tensor sin, Tensor positions) {
    turn(dx, cos, sin, positions, -1);
  }

  private static void turn(Tensor x, Tensor cos, Tensor sin, Tensor positions, int sign) {
    int r = cols(cos);
    int d = cols(x);
    int heads = Math.toIntExact(x.dim(1));
    double[] v = values(x);
    for (int head = 0; head < rows(x); head++) {
      int angle = index(positions, head / heads, cos.rows()) * r;
      for (int j = 0; j < r; j++) {
        double c = cos.getDouble(angle + j);
        double s = sign * sin.getDouble(angle + j);
        int low = head * d + j;
        x.setFloat(low, v[low] * c - v[low + r] * s);
        x.setFloat(low + r, v[low + r] * c + v[low] * s);
      }
    }
  }

  // ---- attention ----

  @Override
  public void attentionForward(
      Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, Tensor segments, AttentionRule rule) {
    ReferenceAttention.forward(out, lse, q, k, v, segments, rule);
  }

  @Override
  public void attentionBackward(
      Tensor dq,
      Tensor dk,
      Tensor dv,
      Tensor dout,
      Tensor out,
      Tensor lse,
      Tensor q,
      Tensor k,
      Tensor v,
      Tensor segments,
      AttentionRule rule) {
    ReferenceAttention.backward(dq, dk, dv, dout, out, lse, q, k, v, segments, rule);
  }

  // ---- linear maps ----

  /** a b^T for a [n, m] and b [o, m]. */
  private static IntToDoubleFunction timesTransposed(double[] a, double[] b, int m, int o) {
    return i -> sum(m, j -> a[i / o * m + j] * b[i % o * m + j]);
  }

  /** A weight as it is multiplied with activations: rounded to BF16 where these are. */
  private static double[] factors(Tensor weight, Tensor activations) {
    return rounded(values(weight), activations);
  }

  private static double[] rounded(double[] weights, Tensor activations) {
    return activations.dtype() == DType.BF16
        ? Arrays.stream(weights).map(w -> Half.fromBf16(Half.toBf16((float) w))).toArray()
        : weights;
  }

  @Override
  public void linearForward(Tensor out, Tensor x, Tensor weight) {
    requireLinear(out, x, weight);
    store(out, timesTransposed(values(x), factors(weight, x), cols(x), cols(out)));
  }

  private static void requireLinear(Tensor out, Tensor x, Tensor weight) {
    require(
        out.rows() == x.rows() && out.cols() == weight.rows() && x.cols() == weight.cols(),
        "linear",
        out,
        x,
        weight);
  }

  @Override
  public void linearForwardAdd(Tensor out, Tensor x, Tensor weight, double scale) {
    requireLinear(out, x, weight);
    IntToDoubleFunction y = timesTransposed(values(x), factors(weight, x), cols(x), cols(out));
    accumulate(out, i -> scale * y.applyAsDouble(i));
  }

  @Override
  public void linearBackward(Tensor dx, Tensor dout, Tensor weight, double scale) {
    requireLinear(dout, dx, weight);
    addTimes(dx, values(dout), factors(weight, dout), cols(dout), scale);
  }

  /** dx += scale dout w. */
  private static void addTimes(Tensor dx, double[] dout, double[] w, int o, double scale) {
    int m = cols(dx);
    accumulate(dx, i -> scale * sum(o, k -> dout[i / m * o + k] * w[k * m + i % m]));
  }

  @Override
  public void linearBackwardWeight(Tensor dweight, Tensor dout, Tensor x, double scale) {
    requireLinear(dout, x, dweight);
    int o = cols(dout);
    int m = cols(x);
    double[] g = values(dout);
    double[] v = values(x);
    accumulate(dweight, i -> scale * sum(rows(x), n -> g[n * o + i / m] * v[n * m + i % m]));
  }

  @Override
  public void biasForward(Tensor out, Tensor bias) {
    require(bias.elements() == out.cols(), "bias", out, bias);
    accumulate(out, i -> bias.getDouble(i % cols(out)));
  }

  @Override
  public void biasBackward(Tensor dbias, Tensor dout) {
    require(dbias.elements() == dout.cols(), "bias", dbias, dout);
    accumulate(dbias, j -> sum(rows(dout), n -> dout.getDouble((long) n * cols(dout) + j)));
  }

  // ---- frozen 4-bit weights ----

  @Override
  public void quantize(Quantized out, Tensor in) {
    require(out.elements() == in.elements(), "quantize", out.codes(), in);
    ReferenceQuantizer.quantize(out, in);
  }

  @Override
  public void dequantize(Tensor out, Quantized in) {
    require(out.elements() == in.elements(), "dequantize", out, in.codes());
    float[] w = ReferenceQuantizer.dequantize(in);
    store(out, i -> w[i]);
  }

  private static double[] weights(Quantized q) {
    float[] w = ReferenceQuantizer.dequantize(q);
    double[] d = new double[w.length];
    Arrays.setAll(d, i -> w[i]);
    return d;
  }

  @Override
  public void quantizedLinearForward(Tensor out, Tensor x, Quantized weight) {
    store(out, timesTransposed(values(x), rounded(weights(weight), x), cols(x), cols(out)));
  }

  @Override
  public void quantizedLinearBackward(Tensor dx, Tensor dout, Quantized weight) {
    addTimes(dx, values(dout), rounded(weights(weight), dout), cols(dout), 1);
  }

  // ---- pointwise ----

  @Override
  public void gatedForward(Tensor out, Tensor gate, Tensor up, Activation a) {
    zip(out, gate, up, (g, u) -> g * logistic(argument(g, a)) * u);
  }

  @Override
  public void gatedBackward(
      Tensor dgate, Tensor dup, Tensor dout, Tensor gate, Tensor up, Activation a) {
    for (int i = 0; i < size(dout); i++) {
      double g = gate.getDouble(i);
      double s = logistic(argument(g, a));
      double d = dout.getDouble(i);
      double slope = s * (1 + g * (1 - s) * argumentSlope(g, a));
      dup.setFloat(i, dup.getDouble(i) + d * g * s);
      dgate.setFloat(i, dgate.getDouble(i) + d * up.getDouble(i) * slope);
    }
  }

  /** w(x) of {@link Activation}. */
  private static double argument(double x, Activation a) {
    return switch (a) {
      case SILU -> x;
      case GELU_TANH -> 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);
    };
  }

  private static double argumentSlope(double x, Activation a) {
    return switch (a) {
      case SILU -> 1;
      case GELU_TANH -> 2 * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
    };
  }

  @Override
  public void softCapForward(Tensor x, double cap) {
    store(x, i -> cap * Math.tanh(x.getDouble(i) / cap));
  }

  @Override
  public void softCapBackward(Tensor dx, Tensor x, double cap) {
    store(dx, i -> dx.getDouble(i) * (1 - Math.pow(x.getDouble(i) / cap, 2)));
  }

  @Override
  public void dropoutForward(Tensor out, Tensor x, double rate, long seed) {
    store(out, i -> Dropout.isDropped(seed, i, rate) ? 0 : x.getDouble(i) / (1 - rate));
  }

  @Override
  public void dropoutBackward(Tensor dx, Tensor dout, double rate, long seed) {
    accumulate(dx, i -> Dropout.isDropped(seed, i, rate) ? 0 : dout.getDouble(i) / (1 - rate));
  }

  // ---- adapters ----

  @Override
  public void scaleColumns(Tensor out, Tensor x, Tensor factors) {
    int c = size(factors);
    store(out, i -> x.getDouble(i) * factors.getDouble(i % c));
  }

  @Override
  public void columnDots(Tensor out, Tensor a, Tensor b) {
    int c = size(out);
    accumulate(out, j -> sum(size(a) / c, n -> a.getDouble(n * c + j) * b.getDouble(n * c + j)));
  }

  @Override
  public void inverseRowNorms(
      Tensor out, Tensor squares, Tensor b, Tensor p, Tensor q, double scale) {
    int r = cols(b);
    int outputs = size(out);
    store(
        out,
        o -> {
          double change =
              sum(
                  r,
                  k ->
                      b.getDouble(o * r + k)
                          * (2 * scale * p.getDouble(k * outputs + o)
                              + scale * scale * q.getDouble(o * r + k)));
          return 1 / Math.sqrt(Math.max(0, squares.getDouble(o) + change));
        });
  }

  @Override
  public void gatherColumnsForward(Tensor out, Tensor table, Tensor columns) {
    int r = cols(out);
    int v = cols(table);
    store(out, i -> table.getDouble((long) i % r * v + index(columns, i / r, v)));
  }

  @Override
  public void gatherColumnsBackward(Tensor dtable, Tensor dout, Tensor columns) {
    int r = cols(dout);
    int v = cols(dtable);
    double[] sums = values(dtable);
    for (int i = 0; i < size(dout); i++) {
      sums[i % r * v + index(columns, i / r, v)] += dout.getDouble(i);
    }
    store(dtable, i -> sums[i]);
  }

  @Override
  public void addNoise(Tensor x, Tensor segments, double alpha, long seed) {
    int c = cols(x);
    for (int s = 0; s < rows(segments); s++) {
      int start = segments.getInt(4L * s);
      int length = segments.getInt(4L * s + 1);
      double magnitude = alpha / Math.sqrt((double) length * c);
      for (int i = start * c; i < (start + length) * c; i++) {
        x.setFloat(i, x.getDouble(i) + magnitude * Dropout.uniform(seed, i));
      }
    }
  }

  // ---- loss ----

  @Override
  public void crossEntropyForward(Tensor loss, Tensor lse, Tensor logits, Tensor targets) {
    int v = cols(logits);
    for (int m = 0; m < rows(logits); m++) {
      int row = m * v;
      double max = Double.NEGATIVE_INFINITY;
      for (int j = 0; j < v; j++) {
        max = Math.max(max, logits.getDouble(row + j));
      }
      double shift = max;
      double sum = max + Math.log(sum(v, j -> Math.exp(logits.getDouble(row + j) - shift)));
      lse.setFloat(m, sum);
      loss.setFloat(m, sum - logits.getDouble(row + index(targets, m, v)));
    }
  }

  @Override
  public void crossEntropyBackward(
      Tensor dlogits, Tensor lse, Tensor logits, Tensor targets, double scale) {
    int v = cols(logits);
    store(
        dlogits,
        i -> {
          double p = Math.exp(logits.getDouble(i) - lse.getDouble(i / v));
          return scale * (p - (index(targets, i / v, v) == i % v ? 1 : 0));
        });
  }

  // ---- optimizer ----

  @Override
  public void sumOfSquares(Tensor out, Tensor x) {
    accumulate(out, one -> sum(size(x), i -> x.getDouble(i) * x.getDouble(i)));
  }

  @Override
  public void adamW(Tensor weight, Tensor m, Tensor v, Tensor gradient, AdamWStep step) {
    double correction1 = 1 - Math.pow(step.beta1(), (double) step.step());
    double correction2 = 1 - Math.pow(step.beta2(), (double) step.step());
    for (int i = 0; i < size(weight); i++) {
      double g = gradient.getDouble(i);
      double w = weight.getDouble(i) * (1 - step.learningRate() * step.weightDecay());
      m.setFloat(i, step.beta1() * m.getDouble(i) + (1 - step.beta1()) * g);
      v.setFloat(i, step.beta2() * v.getDouble(i) + (1 - step.beta2()) * g * g);
      double root = Math.sqrt(v.getDouble(i)) / Math.sqrt(correction2) + step.epsilon();
      weight.setFloat(i, w - step.learningRate() / correction1 * m.getDouble(i) / root);
    }
  }

  @Override
  public void adamW8bit(
      Tensor weight,
      Tensor m,
      Tensor mScales,
      Tensor v,
      Tensor vScales,
      Tensor gradient,
      AdamWStep step) {
    ReferenceOptimizers.adamW8bit(weight, m, mScales, v, vScales, gradient, step);
  }

  @Override
  public void lion(Tensor weight, Tensor m, Tensor gradient, LionStep step) {
    ReferenceOptimizers.lion(weight, m, gradient, step);
  }

  @Override
  public void sgd(Tensor weight, Tensor velocity, Tensor gradient, SgdStep step) {
    ReferenceOptimizers.sgd(weight, velocity, gradient, step);
  }

  @Override
  public void adafactor(
      Tensor weight, Tensor rows, Tensor columns, Tensor gradient, AdafactorStep step) {
    ReferenceOptimizers.adafactor(weight, rows, columns, gradient, step);
  }

  @Override
  public Pager pager(Scope scope, long[] pageBytes, Paging paging) {
    return Pager.onHost(scope, pageBytes, paging);
  }
}
