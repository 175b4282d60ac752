package dev.nibble.compute.kernels;

import static dev.nibble.compute.kernels.ReferenceValues.accumulate;
import static dev.nibble.compute.kernels.ReferenceValues.cols;
import static dev.nibble.compute.kernels.ReferenceValues.require;
import static dev.nibble.compute.kernels.ReferenceValues.rows;
import static dev.nibble.compute.kernels.ReferenceValues.size;
import static dev.nibble.compute.kernels.ReferenceValues.store;
import static dev.nibble.compute.kernels.ReferenceValues.sum;

import dev.nibble.compute.tensor.Tensor;
import java.util.function.DoubleBinaryOperator;

/** The specification of {@link PointwiseKernels}, see {@link ReferenceKernels}. */
class ReferencePointwiseKernels implements PointwiseKernels {

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

  private static double logistic(double x) {
    return 1 / (1 + Math.exp(-x));
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
  public void geluForward(Tensor out, Tensor x, Gelu form) {
    require(out.elements() == x.elements(), "sizes differ", out, x);
    store(out, i -> x.getDouble(i) * distribution(x.getDouble(i), form));
  }

  @Override
  public void geluBackward(Tensor dx, Tensor dout, Tensor x, Gelu form) {
    accumulate(
        dx,
        i -> {
          double v = x.getDouble(i);
          return dout.getDouble(i) * (distribution(v, form) + v * density(v, form));
        });
  }

  /** P of {@link Gelu}. */
  private static double distribution(double x, Gelu form) {
    return switch (form) {
      case EXACT -> NormalDistribution.cumulative(x);
      case TANH -> logistic(argument(x, Activation.GELU_TANH));
      case QUICK -> logistic(1.702 * x);
    };
  }

  /** P' of {@link Gelu}. */
  private static double density(double x, Gelu form) {
    double p = distribution(x, form);
    return switch (form) {
      case EXACT -> NormalDistribution.density(x);
      case TANH -> p * (1 - p) * argumentSlope(x, Activation.GELU_TANH);
      case QUICK -> p * (1 - p) * 1.702;
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
}
