package dev.nibble.trainer.model.build;

import dev.nibble.compute.kernels.OptimizerKernels.AdamWStep;

/**
 * How far AdamW may take two runs' weights apart when their gradients differ by rounding alone. An
 * update is lr m / sqrt(v), so an error e of a gradient moves a weight by up to 2 lr e / sqrt(v),
 * and never by more than 2 lr, from one end to the other. Summed over the steps, that is little for
 * a weight with a gradient to speak of, and a full step each for one whose gradients are all
 * rounding noise.
 */
final class AdamWSlack {
  /** The error of a gradient, as a part of its matrix's largest. */
  private static final double ROUNDING = 1e-5;

  private final double[] squares;
  private final double[] slack;

  AdamWSlack(int weights) {
    squares = new double[weights];
    slack = new double[weights];
  }

  /** Counts a step with these gradients of one matrix. */
  void add(float[] gradients, AdamWStep step) {
    double largest = 0;
    for (float g : gradients) {
      largest = Math.max(largest, Math.abs(g));
    }
    double corrected = 1 - Math.pow(step.beta2(), (double) step.step());
    for (int i = 0; i < gradients.length; i++) {
      double g = gradients[i];
      squares[i] = step.beta2() * squares[i] + (1 - step.beta2()) * g * g;
      double root = Math.sqrt(squares[i] / corrected) + step.epsilon();
      slack[i] += 2 * step.learningRate() * Math.min(1, ROUNDING * largest / root);
    }
  }

  /** The weights moved towards the expected ones, by no more than their slack. */
  float[] settled(float[] actual, float[] expected) {
    float[] settled = actual.clone();
    for (int i = 0; i < settled.length; i++) {
      double off = (double) actual[i] - expected[i];
      double beyond = Math.max(0, Math.abs(off) - slack[i]);
      settled[i] = (float) (expected[i] + Math.copySign(beyond, off));
    }
    return settled;
  }
}
