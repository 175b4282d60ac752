package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.FrozenMatrix;
import java.math.BigInteger;
import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Linear maps as float32 matrix products. Row-major [N, I] memory is read as column-major [I, N],
 * which BLAS takes as it is: {@code out^T = weight x^T}. Weights in fewer bits are widened some
 * rows at a time, since ND4J's own 16-bit products are slow.
 */
final class Nd4jLinear {

  private Nd4jLinear() {}

  /** How many rows of a matrix are read at a time. */
  private static long step(FrozenMatrix weight) {
    return switch (weight) {
      case Dense(Tensor t) when t.dtype() == DType.F32 -> t.rows();
      case Codebook c when Nd4jQuantizer.fits(c) -> {
        // A multiple of the rows after which a row begins a block again.
        long gcd = BigInteger.valueOf(c.block()).gcd(BigInteger.valueOf(c.cols())).longValue();
        long whole = c.block() / gcd;
        yield Math.max(1, Nd4jWork.MOST_ELEMENTS / c.cols() / whole) * whole;
      }
      default -> Math.max(1, Nd4jWork.MOST_ELEMENTS / weight.cols());
    };
  }

  /** Rows from (inclusive) to to (exclusive) in float32, as column-major [I, to - from]. */
  private static INDArray transposed(Nd4jWork work, FrozenMatrix weight, long from, long to) {
    long cols = weight.cols();
    if (weight instanceof Dense(Tensor t) && t.dtype() == DType.F32) {
      return work.transposed(t.reshape(t.rows(), cols).slice(from, to));
    }
    INDArray flat = Nd4jQuantizer.weights(work, weight, from * cols, to * cols);
    return work.keep(work.reshape(flat, to - from, cols).transpose());
  }

  private static void require(Tensor out, Tensor x, FrozenMatrix weight) {
    if (out.rows() != x.rows() || out.cols() != weight.rows() || x.cols() != weight.cols()) {
      throw new IllegalArgumentException(
          "linear: shapes do not fit: " + Arrays.asList(out, x, weight));
    }
  }

  /** out = beta out + scale x weight^T; beta is 0 or 1. */
  static void forward(Tensor out, Tensor x, FrozenMatrix weight, double scale, double beta) {
    require(out, x, weight);
    long step = step(weight);
    for (long from = 0; from < weight.rows(); from += step) {
      long to = Math.min(weight.rows(), from + step);
      try (Nd4jWork work = new Nd4jWork()) {
        INDArray w = transposed(work, weight, from, to);
        INDArray in = work.transposed(x);
        INDArray all = work.transposed(out);
        if (to - from == weight.rows()) {
          Nd4j.gemm(w, in, beta == 0 ? all.assign(0) : all, true, false, scale, beta);
          continue;
        }
        INDArray product = work.keep(Nd4j.gemm(w, in, true, false)).muli(scale);
        INDArray part = work.keep(all.get(NDArrayIndex.interval(from, to), NDArrayIndex.all()));
        if (beta == 0) {
          part.assign(product);
        } else {
          part.addi(product);
        }
      }
    }
  }

  /** dx += scale dout weight. */
  static void backward(Tensor dx, Tensor dout, FrozenMatrix weight, double scale) {
    require(dout, dx, weight);
    long step = step(weight);
    for (long from = 0; from < weight.rows(); from += step) {
      long to = Math.min(weight.rows(), from + step);
      try (Nd4jWork work = new Nd4jWork()) {
        INDArray part = work.transposed(dout);
        if (to - from < weight.rows()) {
          part = work.keep(part.get(NDArrayIndex.interval(from, to), NDArrayIndex.all()));
          part = work.keep(part.dup('f'));
        }
        INDArray w = transposed(work, weight, from, to);
        Nd4j.gemm(w, part, work.transposed(dx), false, false, scale, 1);
      }
    }
  }

  /** dweight += scale dout^T x. */
  static void backwardWeight(Tensor dweight, Tensor dout, Tensor x, double scale) {
    require(dout, x, new Dense(dweight));
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray g = work.transposed(dout);
      Nd4j.gemm(work.transposed(x), g, work.transposed(dweight), false, true, scale, 1);
    }
  }
}
