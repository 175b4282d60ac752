package dev.nibble.compute.kernels.nd4j;

import static dev.nibble.compute.kernels.nd4j.Nd4jArguments.indices;
import static dev.nibble.compute.kernels.nd4j.Nd4jArguments.require;

import dev.nibble.compute.kernels.NormKernels;
import dev.nibble.compute.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/** RMSNorm, LayerNorm and rotary position embedding, and DoRA's row norms. */
final class Nd4jNormKernels implements NormKernels {
  @Override
  public void rmsNormForward(
      Tensor out, Tensor rstd, Tensor x, Tensor weight, double offset, double eps) {
    require(
        out.elements() == x.elements()
            && rstd.elements() == x.rows()
            && weight.elements() == x.cols(),
        "rmsNorm",
        out,
        rstd,
        x,
        weight);
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

  @Override
  public void rmsNormBackward(
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

  @Override
  public void rmsNormBackwardWeight(Tensor dweight, Tensor dout, Tensor x, Tensor rstd) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray h = work.keep(work.matrix(x).mulColumnVector(work.view(rstd, x.rows(), 1)));
      work.flat(dweight).addi(work.keep(h.muli(work.matrix(dout)).sum(0)));
    }
  }

  @Override
  public void layerNormForward(
      Tensor out, Tensor mean, Tensor rstd, Tensor x, Tensor weight, Tensor bias, double eps) {
    require(
        out.elements() == x.elements()
            && mean.elements() == x.rows()
            && rstd.elements() == x.rows()
            && weight.elements() == x.cols()
            && bias.elements() == x.cols(),
        "layerNorm",
        out,
        mean,
        rstd,
        x,
        weight,
        bias);
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray in = work.matrix(x);
      INDArray m = work.view(mean, x.rows(), 1);
      m.assign(work.keep(in.mean(true, 1)));
      INDArray h = work.keep(in.subColumnVector(m));
      INDArray r = work.view(rstd, x.rows(), 1);
      INDArray variance = work.keep(work.keep(h.mul(h)).mean(true, 1));
      r.assign(Transforms.sqrt(variance.addi(eps), false).rdivi(1));
      h.muliColumnVector(r).muliRowVector(work.view(weight, 1, x.cols()));
      work.matrix(out).assign(h.addiRowVector(work.view(bias, 1, x.cols())));
    }
  }

  /** (x - mean) rstd. */
  private static INDArray normalized(Nd4jWork work, Tensor x, Tensor mean, Tensor rstd) {
    INDArray centered = work.matrix(x).subColumnVector(work.view(mean, x.rows(), 1));
    return work.keep(centered).muliColumnVector(work.view(rstd, x.rows(), 1));
  }

  @Override
  public void layerNormBackward(
      Tensor dx, Tensor dout, Tensor x, Tensor mean, Tensor rstd, Tensor weight) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray h = normalized(work, x, mean, rstd);
      INDArray g = work.keep(work.matrix(dout).mulRowVector(work.view(weight, 1, x.cols())));
      INDArray dot = work.keep(work.keep(g.mul(h)).mean(true, 1));
      INDArray shift = work.keep(g.mean(true, 1));
      g.subiColumnVector(shift).subi(h.muliColumnVector(dot));
      work.matrix(dx).addi(g.muliColumnVector(work.view(rstd, x.rows(), 1)));
    }
  }

  @Override
  public void layerNormBackwardWeight(
      Tensor dweight, Tensor dout, Tensor x, Tensor mean, Tensor rstd) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray h = normalized(work, x, mean, rstd);
      work.flat(dweight).addi(work.keep(h.muli(work.matrix(dout)).sum(0)));
    }
  }

  @Override
  public void inverseRowNorms(
      Tensor out, Tensor squares, Tensor b, Tensor p, Tensor q, double scale) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray cross = work.keep(work.transposed(p).mul(2 * scale));
      INDArray terms = work.keep(work.keep(work.matrix(q).mul(scale * scale)).add(cross));
      INDArray sums = work.keep(work.keep(terms.mul(work.matrix(b))).sum(1));
      INDArray square = work.keep(work.flat(squares).add(sums));
      INDArray length = Transforms.sqrt(Transforms.max(square, 0, false), false);
      work.flat(out).assign(work.keep(length.rdiv(1)));
    }
  }

  @Override
  public void ropeForward(Tensor x, Tensor cos, Tensor sin, Tensor positions) {
    rotate(x, cos, sin, positions, 1);
  }

  @Override
  public void ropeBackward(Tensor dx, Tensor cos, Tensor sin, Tensor positions) {
    rotate(dx, cos, sin, positions, -1);
  }

  private static void rotate(Tensor x, Tensor cos, Tensor sin, Tensor positions, int sign) {
    long n = x.dim(0);
    long r = cos.cols();
    require(2 * r <= x.cols() && positions.elements() == n, "rope", x, cos, sin, positions);
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray at = indices(work, positions, cos.rows());
      INDArray c = work.reshape(work.gather(work.matrix(cos), at), n, 1, r);
      INDArray s = work.reshape(work.gather(work.matrix(sin), at).muli(sign), n, 1, r);
      INDArray all = work.view(x, n, x.dim(1), x.cols());
      INDArray low = half(work, all, 0, r);
      INDArray high = half(work, all, r, 2 * r);
      INDArray a = work.keep(low.dup('c'));
      INDArray b = work.keep(high.dup('c'));
      low.assign(work.keep(work.keep(a.mul(c)).sub(work.keep(b.mul(s)))));
      high.assign(work.keep(work.keep(b.mul(c)).add(work.keep(a.mul(s)))));
    }
  }

  private static INDArray half(Nd4jWork work, INDArray x, long from, long to) {
    return work.keep(
        x.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(from, to)));
  }
}
