package dev.nibble.compute.kernels.nd4j;

import static dev.nibble.compute.kernels.nd4j.Nd4jArguments.require;

import dev.nibble.compute.kernels.Activation;
import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.kernels.Gelu;
import dev.nibble.compute.kernels.PointwiseKernels;
import dev.nibble.compute.tensor.Tensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Element-wise and column-wise operations. */
final class Nd4jPointwiseKernels implements PointwiseKernels {
  private static final double QUICK_SLOPE = 1.702;
  private static final double SLOPE = 2 * Math.sqrt(2 / Math.PI);
  private static final double CUBIC = SLOPE * 0.044715;

  /**
   * Beyond this, GELU's logistic function is 0 or 1 in float32; the bound keeps squares from
   * overflowing.
   */
  private static final double BOUND = 20;

  @Override
  public void add(Tensor out, Tensor a, Tensor b) {
    require(out.elements() == a.elements() && a.elements() == b.elements(), "add", out, a, b);
    try (Nd4jWork work = new Nd4jWork()) {
      work.flat(a).addi(work.flat(b), work.flat(out));
    }
  }

  @Override
  public void scale(Tensor x, double factor) {
    try (Nd4jWork work = new Nd4jWork()) {
      work.flat(x).muli(factor);
    }
  }

  @Override
  public void scaleColumns(Tensor out, Tensor x, Tensor factors) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray f = work.view(factors, 1, factors.elements());
      long rows = x.elements() / factors.elements();
      INDArray product = work.keep(work.view(x, rows, factors.elements()).mulRowVector(f));
      work.view(out, rows, factors.elements()).assign(product);
    }
  }

  @Override
  public void columnDots(Tensor out, Tensor a, Tensor b) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray products = work.keep(work.matrix(a).mul(work.matrix(b)));
      work.flat(out).addi(work.keep(products.sum(0)));
    }
  }

  // ---- activations ----

  @Override
  public void gatedForward(Tensor out, Tensor gate, Tensor up, Activation a) {
    require(
        out.elements() == gate.elements() && gate.elements() == up.elements(),
        "gated",
        out,
        gate,
        up);
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray g = work.flat(gate);
      logistic(work, g, a).muli(g).muli(work.flat(up), work.flat(out));
    }
  }

  @Override
  public void gatedBackward(
      Tensor dgate, Tensor dup, Tensor dout, Tensor gate, Tensor up, Activation a) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray g = work.flat(gate);
      INDArray d = work.flat(dout);
      INDArray s = logistic(work, g, a);
      work.flat(dup).addi(work.keep(s.mul(g)).muli(d));
      work.flat(dgate).addi(slope(work, g, s, a).muli(work.flat(up)).muli(d));
    }
  }

  /** s(w(x)). */
  private static INDArray logistic(Nd4jWork work, INDArray x, Activation a) {
    return switch (a) {
      case SILU -> work.keep(Transforms.sigmoid(x, true));
      case GELU_TANH -> {
        INDArray w = work.keep(x.mul(x)).muli(CUBIC).addi(SLOPE).muli(x);
        yield Transforms.sigmoid(w, false);
      }
    };
  }

  /** s + x s (1 - s) w'(x). */
  private static INDArray slope(Nd4jWork work, INDArray x, INDArray s, Activation a) {
    INDArray rest = work.keep(s.rsub(1));
    return switch (a) {
      case SILU -> rest.muli(x).addi(1).muli(s);
      case GELU_TANH -> {
        INDArray t = work.keep(Transforms.max(x, -BOUND, true));
        Transforms.min(t, BOUND, false);
        INDArray inner = work.keep(t.mul(t)).muli(3 * CUBIC).addi(SLOPE).muli(t);
        yield rest.muli(inner).addi(1).muli(s);
      }
    };
  }

  @Override
  public void geluForward(Tensor out, Tensor x, Gelu form) {
    require(out.elements() == x.elements(), "gelu", out, x);
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray in = work.flat(x);
      distribution(work, in, form).muli(in, work.flat(out));
    }
  }

  @Override
  public void geluBackward(Tensor dx, Tensor dout, Tensor x, Gelu form) {
    require(dx.elements() == x.elements() && dout.elements() == x.elements(), "gelu", dx, dout, x);
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray in = work.flat(x);
      INDArray p = distribution(work, in, form);
      INDArray slope =
          switch (form) {
            case TANH -> slope(work, in, p, Activation.GELU_TANH);
            case QUICK -> work.keep(p.rsub(1)).muli(in).muli(QUICK_SLOPE).addi(1).muli(p);
            case EXACT -> {
              INDArray square = work.keep(in.mul(in)).muli(-0.5);
              INDArray density = Transforms.exp(square, false).divi(Math.sqrt(2 * Math.PI));
              yield density.muli(in).addi(p);
            }
          };
      work.flat(dx).addi(slope.muli(work.flat(dout)));
    }
  }

  /** P(x). */
  private static INDArray distribution(Nd4jWork work, INDArray x, Gelu form) {
    return switch (form) {
      case TANH -> logistic(work, x, Activation.GELU_TANH);
      case QUICK -> Transforms.sigmoid(work.keep(x.mul(QUICK_SLOPE)), false);
      case EXACT -> {
        INDArray wide = work.cast(x, DataType.DOUBLE).muli(-Math.sqrt(0.5));
        INDArray twice = work.keep(Nd4j.math().erfc(wide));
        yield work.cast(twice.muli(0.5), DataType.FLOAT);
      }
    };
  }

  @Override
  public void softCapForward(Tensor x, double cap) {
    for (long from = 0; from < x.elements(); from += Nd4jWork.MOST_ELEMENTS) {
      long n = Math.min(Nd4jWork.MOST_ELEMENTS, x.elements() - from);
      try (Nd4jWork work = new Nd4jWork()) {
        INDArray logits = work.flat(x.part(from, n));
        // ND4J's float32 tanh of a small number has few correct digits.
        INDArray wide = work.cast(logits, DataType.DOUBLE).divi(cap);
        logits.assign(Transforms.tanh(wide, false).muli(cap));
      }
    }
  }

  @Override
  public void softCapBackward(Tensor dx, Tensor x, double cap) {
    require(dx.elements() == x.elements(), "softCap", dx, x);
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray t = work.keep(work.flat(x).div(cap));
      work.flat(dx).muli(t.muli(t).rsubi(1));
    }
  }

  // ---- dropout and noise ----

  @Override
  public void dropoutForward(Tensor out, Tensor x, double rate, long seed) {
    require(out.elements() == x.elements(), "dropout", out, x);
    try (Nd4jWork work = new Nd4jWork()) {
      work.flat(x).muli(mask(work, x.elements(), rate, seed), work.flat(out));
    }
  }

  @Override
  public void dropoutBackward(Tensor dx, Tensor dout, double rate, long seed) {
    require(dx.elements() == dout.elements(), "dropout", dx, dout);
    try (Nd4jWork work = new Nd4jWork()) {
      work.flat(dx).addi(mask(work, dout.elements(), rate, seed).muli(work.flat(dout)));
    }
  }

  /**
   * 0 where dropped, else 1 / (1 - rate). ND4J has no unsigned shift of 64-bit numbers, so Java
   * draws the mask.
   */
  private static INDArray mask(Nd4jWork work, long n, double rate, long seed) {
    float kept = (float) (1 / (1 - rate));
    float[] mask = new float[Math.toIntExact(n)];
    for (int i = 0; i < mask.length; i++) {
      mask[i] = Dropout.isDropped(seed, i, rate) ? 0 : kept;
    }
    return work.keep(Nd4j.createFromArray(mask));
  }

  /** ND4J has no unsigned shift of 64-bit numbers, so Java draws the noise. */
  @Override
  public void addNoise(Tensor x, Tensor segments, double alpha, long seed) {
    float[] noise = new float[Math.toIntExact(x.elements())];
    for (long s = 0; s < segments.rows(); s++) {
      long start = segments.getLong(4 * s);
      long length = segments.getLong(4 * s + 1);
      float magnitude = (float) (alpha / Math.sqrt((double) length * x.cols()));
      for (long i = start * x.cols(); i < (start + length) * x.cols(); i++) {
        noise[(int) i] = magnitude * Dropout.uniform(seed, i);
      }
    }
    try (Nd4jWork work = new Nd4jWork()) {
      work.flat(x).addi(work.keep(Nd4j.createFromArray(noise)));
    }
  }
}
