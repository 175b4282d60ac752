package dev.nibble.compute.kernels.cuda.optimizers;

import dev.nibble.compute.kernels.DynamicMap;
import dev.nibble.compute.kernels.OptimizerKernels;
import dev.nibble.compute.kernels.OptimizerKernels.AdafactorStep;
import dev.nibble.compute.kernels.OptimizerKernels.AdamWStep;
import dev.nibble.compute.kernels.OptimizerKernels.LionStep;
import dev.nibble.compute.kernels.OptimizerKernels.SgdStep;
import dev.nibble.compute.kernels.cuda.work.Arguments;
import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/** Optimizer updates, and the sum of squares for the gradient norm. */
public final class CudaOptimizerKernels implements OptimizerKernels {
  private static final int THREADS = 256;
  private static final int CODES = 256;
  private static final int COLUMNS_OF_A_BLOCK = 32;
  private static final int BLOCKS_PER_MULTIPROCESSOR = 32;

  // The number of partial sums, which are added in order: the same on every device.
  private static final int PARTS = 512;

  private final Launch launch;
  private final Tensor parts;

  // Values and thresholds of the signed and of the unsigned map, 256 floats each.
  private final Tensor maps;

  // Adafactor's mean of the rows and sum of squares.
  private final Tensor sums;

  /** Kernels that launch on the set's stream. */
  public CudaOptimizerKernels(Launch launch, Scope scratch) {
    this.launch = launch;
    parts = scratch.allocate("scratch/sums", DType.F64, PARTS);
    sums = scratch.allocate("scratch/sums", DType.F64, 2);
    maps = scratch.allocate("scratch/maps", DType.F32, 2, 2, CODES);
    try (Scope host = Scope.open("maps", Memory.host())) {
      Tensor values = host.allocate("maps", DType.F32, 2, 2, CODES);
      values.part(0, CODES).put(DynamicMap.SIGNED.codebook());
      values.part(CODES, CODES).put(DynamicMap.SIGNED.thresholds());
      values.part(2 * CODES, CODES).put(DynamicMap.UNSIGNED.codebook());
      values.part(3 * CODES, CODES).put(DynamicMap.UNSIGNED.thresholds());
      launch.copyBytes(maps, values);
    }
  }

  @Override
  public void sumOfSquares(Tensor out, Tensor x) {
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

  @Override
  public void adamW(Tensor weight, Tensor m, Tensor v, Tensor gradient, AdamWStep step) {
    Arguments.requireType("adamW", DType.F32, weight);
    Arguments.requireAlike("adamW", weight, m, v, gradient);
    long n = weight.elements();
    launch.kernel("adamw").tensor(weight).tensor(m).tensor(v).tensor(gradient).i64(n);
    coefficients(step);
    launch.each(Math.ceilDiv(n, 8));
  }

  private void coefficients(AdamWStep step) {
    double correction1 = 1 - Math.pow(step.beta1(), (double) step.step());
    double correction2 = 1 - Math.pow(step.beta2(), (double) step.step());
    launch
        .f32(1 - step.learningRate() * step.weightDecay())
        .f32(step.beta1())
        .f32(1 - step.beta1())
        .f32(step.beta2())
        .f32(1 - step.beta2())
        .f32(step.learningRate() / correction1)
        .f32(Math.sqrt(correction2))
        .f32(step.epsilon());
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
    long n = weight.elements();
    long blocks = Math.ceilDiv(n, DynamicMap.BLOCK);
    Arguments.requireType("adamW8bit", DType.F32, weight, mScales, vScales);
    Arguments.requireAlike("adamW8bit", weight, gradient);
    Arguments.requireType("adamW8bit", DType.U8, m, v);
    Arguments.require(
        m.elements() == n
            && v.elements() == n
            && mScales.elements() == blocks
            && vScales.elements() == blocks,
        "adamW8bit",
        "codes [n] and scales [%d]".formatted(blocks),
        weight,
        m,
        mScales,
        v,
        vScales);
    launch
        .kernel("adamw_8bit")
        .tensor(weight)
        .tensor(m)
        .tensor(mScales)
        .tensor(v)
        .tensor(vScales)
        .tensor(gradient)
        .tensor(maps)
        .i64(n);
    coefficients(step);
    launch.blocks(Math.min(blocks, mostBlocks()), THREADS);
  }

  private long mostBlocks() {
    return (long) BLOCKS_PER_MULTIPROCESSOR * launch.device().multiprocessors();
  }

  @Override
  public void lion(Tensor weight, Tensor m, Tensor gradient, LionStep step) {
    Arguments.requireType("lion", DType.F32, weight);
    Arguments.requireAlike("lion", weight, m, gradient);
    long n = weight.elements();
    launch
        .kernel("lion")
        .tensor(weight)
        .tensor(m)
        .tensor(gradient)
        .i64(n)
        .f32(1 - step.learningRate() * step.weightDecay())
        .f32(step.learningRate())
        .f32(step.beta1())
        .f32(1 - step.beta1())
        .f32(step.beta2())
        .f32(1 - step.beta2())
        .each(Math.ceilDiv(n, 8));
  }

  @Override
  public void sgd(Tensor weight, Tensor velocity, Tensor gradient, SgdStep step) {
    Arguments.requireType("sgd", DType.F32, weight);
    Arguments.requireAlike("sgd", weight, velocity, gradient);
    long n = weight.elements();
    launch
        .kernel("sgd")
        .tensor(weight)
        .tensor(velocity)
        .tensor(gradient)
        .i64(n)
        .f32(1 - step.learningRate() * step.weightDecay())
        .f32(step.learningRate())
        .f32(step.momentum())
        .each(Math.ceilDiv(n, 8));
  }

  @Override
  public void adafactor(
      Tensor weight, Tensor rows, Tensor columns, Tensor gradient, AdafactorStep step) {
    Arguments.requireType("adafactor", DType.F32, weight, rows, columns);
    Arguments.requireAlike("adafactor", weight, gradient);
    long r = weight.rows();
    long c = weight.cols();
    Arguments.require(
        rows.elements() == r && columns.elements() == c,
        "adafactor",
        "moments of %d rows and %d columns".formatted(r, c),
        weight,
        rows,
        columns);
    if (weight.elements() == 0) {
      return;
    }
    moments("adafactor_rows", rows, gradient, weight, step)
        .blocks(Math.min(r, mostBlocks()), THREADS);
    moments("adafactor_columns", columns, gradient, weight, step)
        .blocks(Math.ceilDiv(c, COLUMNS_OF_A_BLOCK), THREADS);
    launch.kernel("adafactor_mean").tensor(sums).tensor(rows).i64(r).blocks(1, THREADS);
    launch
        .kernel("adafactor_squares")
        .tensor(parts)
        .tensor(sums)
        .tensor(rows)
        .tensor(columns)
        .tensor(gradient)
        .i64(r * c)
        .i64(c)
        .blocks(PARTS, THREADS);
    Tensor squares = sums.part(1, 1);
    launch.kernel("add_parts").tensor(squares).tensor(parts).i32(PARTS).blocks(1, THREADS);
    launch
        .kernel("adafactor")
        .tensor(weight)
        .tensor(sums)
        .tensor(rows)
        .tensor(columns)
        .tensor(gradient)
        .i64(r * c)
        .i64(c)
        .f32(1 - step.learningRate() * step.weightDecay())
        .f32(step.learningRate())
        .f64(step.clip())
        .each(r * c);
  }

  private Launch moments(
      String kernel, Tensor out, Tensor gradient, Tensor weight, AdafactorStep step) {
    return launch
        .kernel(kernel)
        .tensor(out)
        .tensor(gradient)
        .i64(weight.rows())
        .i64(weight.cols())
        .f32(step.beta2())
        .f32(1 - step.beta2())
        .f32(step.epsilon());
  }
}
