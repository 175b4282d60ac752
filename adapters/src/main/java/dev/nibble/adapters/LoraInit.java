package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.adapters.PeftNames.Parsed;
import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.Tensor;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;

/**
 * Initial values that depend on no weight of the model, as PEFT draws them. A tensor's values
 * depend on the seed and its name only.
 */
final class LoraInit {
  private final Parameters parameters;
  private final LoraStart start;
  private final long seed;
  private final Kernels kernels;

  private LoraInit(Parameters parameters, LoraStart start, long seed, Kernels kernels) {
    this.parameters = parameters;
    this.start = start;
    this.seed = seed;
    this.kernels = kernels;
  }

  /**
   * Fills every A and B in {@code parameters} with the values that {@code start} asks for; where it
   * takes them from the model's weights, with those of {@link LoraStart.Zero}.
   */
  static void init(Parameters parameters, LoraStart start, long seed, Kernels kernels) {
    if (kernels.memory().isPlanned()) {
      return; // drawing them takes time
    }
    LoraInit init = new LoraInit(parameters, start, seed, kernels);
    for (Parameter p : parameters.all()) {
      PeftNames.parse(p.name(), LoraNames.SUFFIXES).ifPresent(name -> init.fill(p, name));
    }
  }

  private void fill(Parameter p, Parsed name) {
    boolean noise = start instanceof LoraStart.Noise;
    switch (name.suffix()) {
      case LoraNames.A -> fillA(p, name.module());
      case LoraNames.B, LoraNames.B_BIAS -> {
        if (noise) {
          double bound =
              1 / Math.sqrt((double) parameters.named(LoraNames.a(name.module())).weight().rows());
          uniform(p, bound);
        }
      }
      case LoraNames.EMBEDDING_A -> {
        if (noise) {
          normal(p, 1);
        }
      }
      case LoraNames.EMBEDDING_B -> normal(p, 1);
      default -> {} // magnitudes, and what trains as a whole
    }
  }

  private void fillA(Parameter a, String module) {
    switch (start) {
      case LoraStart.Gaussian g -> normal(a, 1.0 / a.weight().rows());
      case LoraStart.Orthogonal o -> orthogonal(a, parameters.named(LoraNames.b(module)));
      default -> uniform(a, 1 / Math.sqrt((double) a.weight().cols()));
    }
  }

  /**
   * With q a random orthogonal r by r matrix and normal x and y: A = (x q[0::2])^T / 10, B = y^T
   * q[1::2] / 10. Rows of q are orthogonal, so B A = 0.
   */
  private void orthogonal(Parameter a, Parameter b) {
    int r = Math.toIntExact(a.weight().rows());
    int half = r / 2;
    DoubleSupplier random = gaussian(a.name());
    double[][] q = orthonormal(r, random);
    float[] valuesA = new float[Math.toIntExact(a.weight().elements())];
    int inputs = Math.toIntExact(a.weight().cols());
    for (int i = 0; i < inputs; i++) {
      for (int h = 0; h < half; h++) {
        double x = random.getAsDouble() / 10;
        for (int k = 0; k < r; k++) {
          valuesA[k * inputs + i] += (float) (x * q[2 * h][k]);
        }
      }
    }
    float[] valuesB = new float[Math.toIntExact(b.weight().elements())];
    for (int o = 0; o < b.weight().rows(); o++) {
      for (int h = 0; h < half; h++) {
        double y = random.getAsDouble() / 10;
        for (int k = 0; k < r; k++) {
          valuesB[o * r + k] += (float) (y * q[2 * h + 1][k]);
        }
      }
    }
    TensorValues.put(kernels, a.weight(), valuesA);
    TensorValues.put(kernels, b.weight(), valuesB);
  }

  /** Orthonormal rows, by Gram and Schmidt, twice for precision. */
  private static double[][] orthonormal(int n, DoubleSupplier random) {
    double[][] rows = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        rows[i][j] = random.getAsDouble();
      }
      for (int pass = 0; pass < 2; pass++) {
        for (int k = 0; k < i; k++) {
          double along = dot(rows[i], rows[k]);
          for (int j = 0; j < n; j++) {
            rows[i][j] -= along * rows[k][j];
          }
        }
      }
      double length = Math.sqrt(dot(rows[i], rows[i]));
      for (int j = 0; j < n; j++) {
        rows[i][j] /= length;
      }
    }
    return rows;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private void uniform(Parameter p, double bound) {
    SplittableRandom random = random(p.name());
    draw(p.weight(), () -> (2 * random.nextDouble() - 1) * bound);
  }

  private void normal(Parameter p, double deviation) {
    DoubleSupplier gaussian = gaussian(p.name());
    draw(p.weight(), () -> gaussian.getAsDouble() * deviation);
  }

  private DoubleSupplier gaussian(String name) {
    SplittableRandom random = random(name);
    return random::nextGaussian;
  }

  private SplittableRandom random(String name) {
    return new SplittableRandom(Dropout.hash(seed) + name.hashCode());
  }

  private void draw(Tensor t, DoubleSupplier values) {
    float[] drawn = new float[Math.toIntExact(t.elements())];
    for (int i = 0; i < drawn.length; i++) {
      drawn[i] = (float) values.getAsDouble();
    }
    TensorValues.put(kernels, t, drawn);
  }
}
