package dev.nibble.compute.kernels.cuda;

import dev.nibble.compute.kernels.AdamWStep;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/** Gradient norms and the optimizers' steps. */
final class OptimizerKernels {
  private static final int THREADS = 256;

  // Parts of a sum, in whose order they are added: the same on every device.
  private static final int PARTS = 512;

  private final Launch launch;
  private final Tensor parts;

  OptimizerKernels(Launch launch, Scope scratch) {
    this.launch = launch;
    parts = scratch.allocate("scratch/sums", DType.F64, PARTS);
  }

  void sumOfSquares(Tensor out, Tensor x) {
    Arguments.requireType("sumOfSquares", DType.F64, out);
    Arguments.require(out.elements() == 1, "sumOfSquares", "a sum [1]", out);
    Arguments.requireActivations("sumOfSquares", x);
    launch
        .kernel("squares_of_blocks", x.dtype())
        .tensor(parts)
        .tensor(x)
        .i64(x.elements())
        .blocks(PARTS, THREADS);
    launch.kernel("add_parts").tensor(out).tensor(parts).i32(PARTS).blocks(1, THREADS);
  }

  void adamW(Tensor weight, Tensor m, Tensor v, Tensor gradient, AdamWStep step) {
    Arguments.requireType("adamW", DType.F32, weight);
    Arguments.requireAlike("adamW", weight, m, v, gradient);
    double correction1 = 1 - Math.pow(step.beta1(), (double) step.step());
    double correction2 = 1 - Math.pow(step.beta2(), (double) step.step());
    long n = weight.elements();
    launch
        .kernel("adamw")
        .tensor(weight)
        .tensor(m)
        .tensor(v)
        .tensor(gradient)
        .i64(n)
        .f32(1 - step.learningRate() * step.weightDecay())
        .f32(step.beta1())
        .f32(1 - step.beta1())
        .f32(step.beta2())
        .f32(1 - step.beta2())
        .f32(step.learningRate() / correction1)
        .f32(Math.sqrt(correction2))
        .f32(step.epsilon())
        .each(Math.ceilDiv(n, 8));
  }
}
