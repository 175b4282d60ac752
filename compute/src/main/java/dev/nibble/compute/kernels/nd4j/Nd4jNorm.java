package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/** RMSNorm in ND4J operations. */
final class Nd4jNorm {
  private Nd4jNorm() {}

  static void forward(Tensor out, Tensor rstd, Tensor x, Tensor weight, double offset, double eps) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray in = work.matrix(x);
      INDArray r = work.view(rstd, x.rows(), 1);
      INDArray mean = work.keep(work.keep(in.mul(in)).mean(true, 1));
      r.assign(Transforms.sqrt(mean.addi(eps), false).rdivi(1));
      work.matrix(out).assign(in).muliColumnVector(r).muliRowVector(factors(work, weight, offset));
    }
  }

  /** offset + weight as a row. */
  private static INDArray factors(Nd4jWork work, Tensor weight, double offset) {
    return work.keep(work.view(weight, 1, weight.elements()).add(offset));
  }

  static void backward(
      Tensor dx, Tensor dout, Tensor x, Tensor rstd, Tensor weight, double offset) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray r = work.view(rstd, x.rows(), 1);
      INDArray w = factors(work, weight, offset);
      INDArray g = work.keep(work.matrix(dout).mulRowVector(w));
      INDArray h = work.keep(work.matrix(x).mulColumnVector(r));
      INDArray mean = work.keep(work.keep(g.mul(h)).mean(true, 1));
      work.matrix(dx).addi(g.subi(h.muliColumnVector(mean)).muliColumnVector(r));
    }
  }

  static void backwardWeight(Tensor dweight, Tensor dout, Tensor x, Tensor rstd) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray h = work.keep(work.matrix(x).mulColumnVector(work.view(rstd, x.rows(), 1)));
      work.flat(dweight).addi(work.keep(h.muli(work.matrix(dout)).sum(0)));
    }
  }
}
