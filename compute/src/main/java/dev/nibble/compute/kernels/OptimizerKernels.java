package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.Tensor;

/**
 * Optimizer updates, and the sum of squares for the gradient norm. See {@link Kernels} for
 * conventions.
 */
public interface OptimizerKernels {

  /**
   * Hyperparameters of one AdamW update (arXiv:1711.05101).
   *
   * @param step t, counted from 1
   * @param learningRate of this step
   * @param beta1 decay of the first moment
   * @param beta2 decay of the second moment
   * @param epsilon added to the root of the second moment
   * @param weightDecay decoupled from the gradient
   */
  record AdamWStep(
      long step,
      double learningRate,
      double beta1,
      double beta2,
      double epsilon,
      double weightDecay) {}

  /**
   * Hyperparameters of one Lion update (arXiv:2302.06675).
   *
   * @param learningRate of this step
   * @param beta1 share of the momentum in the update's direction
   * @param beta2 decay of the momentum
   * @param weightDecay decoupled from the gradient
   */
  record LionStep(double learningRate, double beta1, double beta2, double weightDecay) {}

  /**
   * Hyperparameters of one update by stochastic gradient descent.
   *
   * @param learningRate of this step
   * @param momentum share of the last velocity that stays; 0 for none
   * @param weightDecay decoupled from the gradient
   */
  record SgdStep(double learningRate, double momentum, double weightDecay) {}

  /**
   * Hyperparameters of one Adafactor update (arXiv:1804.04235).
   *
   * @param learningRate of this step
   * @param beta2 decay of the second moments at this step
   * @param epsilon added to each squared gradient
   * @param clip largest root mean square of an update before the learning rate
   * @param weightDecay decoupled from the gradient
   */
  record AdafactorStep(
      double learningRate, double beta2, double epsilon, double clip, double weightDecay) {}

  /** out[0] += sum_i x[i]^2, summed in float64; out is F64 [1]. */
  void sumOfSquares(Tensor out, Tensor x);

  /**
   * AdamW (arXiv:1711.05101) in PyTorch's order, elementwise over F32 tensors of one size: w -=
   * lr*wd*w; m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; w -= lr/(1-b1^t) * m /
   * (sqrt(v)/sqrt(1-b2^t) + eps).
   */
  void adamW(Tensor weight, Tensor m, Tensor v, Tensor gradient, AdamWStep step);

  /**
   * {@link #adamW} with moments in 8 bits (arXiv:2110.02861), in blocks of {@link DynamicMap#BLOCK}
   * from the first element on; B is the number of blocks, the last may be short. The weight is
   * updated with the new moments before they are rounded. A moment is {@code value(code) * scale};
   * {@link DynamicMap} defines its new code and scale: m by the signed map, v by the unsigned one.
   * Moments are computed in float32, each operation rounded on its own, {@code b * moment + (1-b) *
   * x} with x = g or g * g and coefficients rounded to float32: codes and scales are the same bits
   * in every set. Gradients must be finite.
   *
   * @param weight F32 [n]
   * @param m U8 [n], codes
   * @param mScales F32 [B]
   * @param v U8 [n], codes
   * @param vScales F32 [B]
   * @param gradient F32 [n]
   */
  void adamW8bit(
      Tensor weight,
      Tensor m,
      Tensor mScales,
      Tensor v,
      Tensor vScales,
      Tensor gradient,
      AdamWStep step);

  /**
   * Lion (arXiv:2302.06675), elementwise over F32 tensors of one size: w -= lr*wd*w; w -= lr *
   * sign(b1 m + (1-b1) g); m = b2 m + (1-b2) g. The sign of 0 is 0; the sum is computed in float32,
   * each operation rounded on its own.
   */
  void lion(Tensor weight, Tensor m, Tensor gradient, LionStep step);

  /**
   * Gradient descent with momentum, elementwise over F32 tensors of one size: w -= lr*wd*w;
   * velocity = momentum * velocity + g; w -= lr * velocity. Without momentum, velocity may be
   * gradient.
   */
  void sgd(Tensor weight, Tensor velocity, Tensor gradient, SgdStep step);

  /**
   * Adafactor (arXiv:1804.04235) with a given learning rate and without momentum, on one matrix; a
   * vector is one row. rows[i] = b2 rows[i] + (1-b2) mean_j(g[i,j]^2 + eps); columns[j] likewise
   * over i; u[i,j] = g[i,j] / sqrt(rows[i] / mean(rows) * columns[j]); w -= lr*wd*w; w -= lr * u /
   * max(1, rms(u) / clip).
   *
   * @param weight F32 [O, I] or [I]
   * @param rows F32 [O], or [1]
   * @param columns F32 [I]
   * @param gradient as weight
   */
  void adafactor(Tensor weight, Tensor rows, Tensor columns, Tensor gradient, AdafactorStep step);
}
