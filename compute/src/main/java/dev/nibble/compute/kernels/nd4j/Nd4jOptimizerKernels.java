package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.kernels.OptimizerKernels;
import dev.nibble.compute.kernels.OptimizerKernels.AdafactorStep;
import dev.nibble.compute.kernels.OptimizerKernels.AdamWStep;
import dev.nibble.compute.kernels.OptimizerKernels.LionStep;
import dev.nibble.compute.kernels.OptimizerKernels.SgdStep;
import dev.nibble.compute.tensor.Tensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Optimizer updates, some elements or rows at a time, and the sum of squares for the gradient norm.
 */
final class Nd4jOptimizerKernels implements OptimizerKernels {

  /** Works on elements {@code from} to {@code from + n}. */
  private interface Part {
    void run(Nd4jWork work, long from, long n);
  }

  private static void inParts(long elements, Part part) {
    for (long from = 0; from < elements; from += Nd4jWork.MOST_ELEMENTS) {
      try (Nd4jWork work = new Nd4jWork()) {
        part.run(work, from, Math.min(Nd4jWork.MOST_ELEMENTS, elements - from));
      }
    }
  }

  @Override
  public void sumOfSquares(Tensor out, Tensor x) {
    inParts(
        x.elements(),
        (work, from, n) -> {
          INDArray d = work.cast(work.flat(x.part(from, n)), DataType.DOUBLE);
          work.flat(out).addi(work.keep(d.muli(d).sum()));
        });
  }

  @Override
  public void adamW(Tensor weight, Tensor m, Tensor v, Tensor gradient, AdamWStep step) {
    inParts(
        weight.elements(),
        (work, from, n) -> {
          INDArray w = work.flat(weight.part(from, n));
          INDArray m1 = work.flat(m.part(from, n));
          INDArray m2 = work.flat(v.part(from, n));
          INDArray g = work.flat(gradient.part(from, n));
          moments(work, m1, m2, g, step);
          move(work, w, m1, m2, step);
        });
  }

  /** The new moments in the place of the old. */
  static void moments(Nd4jWork work, INDArray m, INDArray v, INDArray g, AdamWStep step) {
    m.muli(step.beta1()).addi(work.keep(g.mul(1 - step.beta1())));
    v.muli(step.beta2()).addi(work.keep(g.mul(g)).muli(1 - step.beta2()));
  }

  /** Moves weights by new moments. */
  static void move(Nd4jWork work, INDArray w, INDArray m, INDArray v, AdamWStep step) {
    double correction1 = 1 - Math.pow(step.beta1(), (double) step.step());
    double correction2 = 1 - Math.pow(step.beta2(), (double) step.step());
    INDArray root = work.keep(Transforms.sqrt(v, true));
    root.divi(Math.sqrt(correction2)).addi(step.epsilon());
    w.muli(1 - step.learningRate() * step.weightDecay());
    w.subi(work.keep(m.div(root)).muli(step.learningRate() / correction1));
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
    Nd4jEightBit.adamW(weight, m, mScales, v, vScales, gradient, step);
  }

  @Override
  public void lion(Tensor weight, Tensor m, Tensor gradient, LionStep step) {
    inParts(
        weight.elements(),
        (work, from, n) -> {
          INDArray w = work.flat(weight.part(from, n));
          INDArray momentum = work.flat(m.part(from, n));
          INDArray g = work.flat(gradient.part(from, n));
          INDArray u = work.keep(momentum.mul(step.beta1()));
          u.addi(work.keep(g.mul(1 - step.beta1())));
          w.muli(1 - step.learningRate() * step.weightDecay());
          w.subi(work.keep(Transforms.sign(u, true)).muli(step.learningRate()));
          momentum.muli(step.beta2()).addi(work.keep(g.mul(1 - step.beta2())));
        });
  }

  @Override
  public void sgd(Tensor weight, Tensor velocity, Tensor gradient, SgdStep step) {
    inParts(
        weight.elements(),
        (work, from, n) -> {
          INDArray w = work.flat(weight.part(from, n));
          INDArray v = work.flat(velocity.part(from, n));
          INDArray g = work.flat(gradient.part(from, n));
          v.assign(work.keep(v.mul(step.momentum())).addi(g));
          w.muli(1 - step.learningRate() * step.weightDecay());
          w.subi(work.keep(v.mul(step.learningRate())));
        });
  }

  @Override
  public void adafactor(
      Tensor weight, Tensor rows, Tensor columns, Tensor gradient, AdafactorStep step) {
    long r = weight.rows();
    long c = weight.cols();
    if (r == 0 || c == 0) {
      return;
    }
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray g = work.view(gradient, r, c);
      INDArray squares = work.keep(g.mul(g));
      INDArray rowMoments = work.view(rows, r, 1);
      INDArray columnMoments = work.view(columns, 1, c);
      decay(work, rowMoments, work.keep(squares.sum(true, 1)).divi(c), step);
      decay(work, columnMoments, work.keep(squares.sum(true, 0)).divi(r), step);
      double mean = work.cast(rowMoments, DataType.DOUBLE).sumNumber().doubleValue() / r;
      INDArray rowRoots = work.keep(Transforms.sqrt(work.keep(rowMoments.div(mean)), true));
      INDArray columnRoots = work.keep(Transforms.sqrt(columnMoments, true));
      INDArray u = work.keep(g.divColumnVector(rowRoots)).diviRowVector(columnRoots);
      double sum = work.keep(work.keep(u.mul(u)).castTo(DataType.DOUBLE)).sumNumber().doubleValue();
      double rms = Math.sqrt(sum / ((double) r * c));
      INDArray w = work.view(weight, r, c);
      w.muli(1 - step.learningRate() * step.weightDecay());
      w.subi(u.muli(step.learningRate() / Math.max(1, rms / step.clip())));
    }
  }

  private static void decay(Nd4jWork work, INDArray moments, INDArray means, AdafactorStep step) {
    INDArray fresh = work.keep(means.add(step.epsilon())).muli(1 - step.beta2());
    moments.muli(step.beta2()).addi(fresh);
  }
}
