package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.Tensor;

/**
 * The specification of {@link OptimizerKernels}, in float64 but for what is specified in float32.
 */
class ReferenceOptimizerKernels implements OptimizerKernels {

  @Override
  public void sumOfSquares(Tensor out, Tensor x) {
    ReferenceValues.accumulate(
        out,
        one -> ReferenceValues.sum(ReferenceValues.size(x), i -> x.getDouble(i) * x.getDouble(i)));
  }

  @Override
  public void adamW(Tensor weight, Tensor m, Tensor v, Tensor gradient, AdamWStep step) {
    double correction1 = 1 - Math.pow(step.beta1(), (double) step.step());
    double correction2 = 1 - Math.pow(step.beta2(), (double) step.step());
    for (int i = 0; i < weight.elements(); i++) {
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
    int n = Math.toIntExact(weight.elements());
    float[] p = moments(m, mScales, DynamicMap.SIGNED.codebook());
    float[] q = moments(v, vScales, DynamicMap.UNSIGNED.codebook());
    float b1 = (float) step.beta1();
    float c1 = (float) (1 - step.beta1());
    float b2 = (float) step.beta2();
    float c2 = (float) (1 - step.beta2());
    double correction1 = 1 - Math.pow(step.beta1(), (double) step.step());
    double correction2 = 1 - Math.pow(step.beta2(), (double) step.step());
    for (int i = 0; i < n; i++) {
      float g = gradient.getFloat(i);
      p[i] = b1 * p[i] + c1 * g;
      q[i] = b2 * q[i] + c2 * (g * g);
      double root = Math.sqrt(q[i]) / Math.sqrt(correction2) + step.epsilon();
      double w = weight.getDouble(i) * (1 - step.learningRate() * step.weightDecay());
      weight.setFloat(i, w - step.learningRate() / correction1 * p[i] / root);
    }
    store(m, mScales, p, DynamicMap.SIGNED.codebook());
    store(v, vScales, q, DynamicMap.UNSIGNED.codebook());
  }

  private static float[] moments(Tensor codes, Tensor scales, float[] map) {
    float[] x = new float[Math.toIntExact(codes.elements())];
    for (int i = 0; i < x.length; i++) {
      x[i] = map[codes.getInt(i)] * scales.getFloat(i / DynamicMap.BLOCK);
    }
    return x;
  }

  private static void store(Tensor codes, Tensor scales, float[] x, float[] map) {
    for (int from = 0; from < x.length; from += DynamicMap.BLOCK) {
      int to = Math.min(x.length, from + DynamicMap.BLOCK);
      float absmax = 0;
      for (int i = from; i < to; i++) {
        absmax = Math.max(absmax, Math.abs(x[i]));
      }
      scales.setFloat(from / DynamicMap.BLOCK, absmax);
      for (int i = from; i < to; i++) {
        codes.setLong(i, nearest(x[i] / Math.max(absmax, Float.MIN_NORMAL), map));
      }
    }
  }

  /** The code of the nearest value by float32 midpoints, the even one in a tie. */
  static int nearest(float u, float[] map) {
    int code = 0;
    for (int i = 0; i + 1 < map.length; i++) {
      float middle = (map[i] + map[i + 1]) * 0.5f;
      if (u > middle || (u == middle && i % 2 == 1)) {
        code = i + 1;
      }
    }
    return map[code] == 0 && u < 0 ? code - 1 : code;
  }

  @Override
  public void lion(Tensor weight, Tensor m, Tensor gradient, LionStep step) {
    float b1 = (float) step.beta1();
    float c1 = (float) (1 - step.beta1());
    for (int i = 0; i < weight.elements(); i++) {
      float u = b1 * m.getFloat(i) + c1 * gradient.getFloat(i);
      double w = weight.getDouble(i) * (1 - step.learningRate() * step.weightDecay());
      weight.setFloat(i, w - step.learningRate() * Math.signum(u));
      m.setFloat(i, step.beta2() * m.getDouble(i) + (1 - step.beta2()) * gradient.getDouble(i));
    }
  }

  @Override
  public void sgd(Tensor weight, Tensor velocity, Tensor gradient, SgdStep step) {
    for (int i = 0; i < weight.elements(); i++) {
      velocity.setFloat(i, step.momentum() * velocity.getDouble(i) + gradient.getDouble(i));
      double w = weight.getDouble(i) * (1 - step.learningRate() * step.weightDecay());
      weight.setFloat(i, w - step.learningRate() * velocity.getDouble(i));
    }
  }

  @Override
  public void adafactor(
      Tensor weight, Tensor rows, Tensor columns, Tensor gradient, AdafactorStep step) {
    int r = Math.toIntExact(weight.rows());
    int c = Math.toIntExact(weight.cols());
    double[] rowSums = new double[r];
    double[] columnSums = new double[c];
    for (int i = 0; i < r * c; i++) {
      double square = Math.pow(gradient.getDouble(i), 2) + step.epsilon();
      rowSums[i / c] += square;
      columnSums[i % c] += square;
    }
    decay(rows, rowSums, c, step);
    decay(columns, columnSums, r, step);
    double mean = 0;
    for (int i = 0; i < r; i++) {
      mean += rows.getDouble(i) / r;
    }
    double[] u = new double[r * c];
    double squares = 0;
    for (int i = 0; i < u.length; i++) {
      double moment = rows.getDouble(i / c) / mean * columns.getDouble(i % c);
      u[i] = gradient.getDouble(i) / Math.sqrt(moment);
      squares += u[i] * u[i];
    }
    double size = step.learningRate() / Math.max(1, Math.sqrt(squares / u.length) / step.clip());
    for (int i = 0; i < u.length; i++) {
      double w = weight.getDouble(i) * (1 - step.learningRate() * step.weightDecay());
      weight.setFloat(i, w - size * u[i]);
    }
  }

  private static void decay(Tensor moments, double[] sums, int count, AdafactorStep step) {
    for (int i = 0; i < sums.length; i++) {
      double fresh = (1 - step.beta2()) * sums[i] / count;
      moments.setFloat(i, step.beta2() * moments.getDouble(i) + fresh);
    }
  }
}
