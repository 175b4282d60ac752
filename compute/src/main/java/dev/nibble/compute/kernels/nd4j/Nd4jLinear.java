package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.math.BigInteger;
import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
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

  /** A frozen or trained matrix [O, I], readable as float32 some rows at a time. */
  interface Weight {
    long rows();

    long cols();

    /** How many rows are read at a time. */
    long step();

    /** Rows from (inclusive) to to (exclusive), as column-major [I, to - from]. */
    INDArray transposed(Nd4jWork work, long from, long to);
  }

  static Weight dense(Tensor weight) {
    return new Dense(weight);
  }

  static Weight fourBit(Quantized weight) {
    return new FourBit(weight);
  }

  private record Dense(Tensor weight) implements Weight {
    @Override
    public long rows() {
      return weight.rows();
    }

    @Override
    public long cols() {
      return weight.cols();
    }

    @Override
    public long step() {
      return weight.dtype() == DType.F32 ? rows() : Math.max(1, Nd4jWork.MOST_ELEMENTS / cols());
    }

    @Override
    public INDArray transposed(Nd4jWork work, long from, long to) {
      Tensor part = weight.reshape(rows(), cols()).slice(from, to);
      if (weight.dtype() == DType.F32) {
        return work.transposed(part);
      }
      INDArray flat = work.cast(work.flat(part), DataType.FLOAT);
      return work.keep(work.reshape(flat, to - from, cols()).transpose());
    }

    @Override
    public String toString() {
      return weight.toString();
    }
  }

  private record FourBit(Quantized weight) implements Weight {
    @Override
    public long rows() {
      return weight.rows();
    }

    @Override
    public long cols() {
      return weight.cols();
    }

    /** A multiple of the rows after which a row begins a block again. */
    @Override
    public long step() {
      long gcd = BigInteger.valueOf(weight.block()).gcd(BigInteger.valueOf(cols())).longValue();
      long whole = weight.block() / gcd;
      return Math.max(1, Nd4jWork.MOST_ELEMENTS / cols() / whole) * whole;
    }

    @Override
    public INDArray transposed(Nd4jWork work, long from, long to) {
      INDArray flat = Nd4jQuantizer.weights(work, weight, from * cols(), to * cols());
      return work.keep(work.reshape(flat, to - from, cols()).transpose());
    }

    @Override
    public String toString() {
      return weight.codes().name() + "[" + rows() + ", " + cols() + "] in 4 bits";
    }
  }

  private static void require(Tensor out, Tensor x, Weight weight) {
    if (out.rows() != x.rows() || out.cols() != weight.rows() || x.cols() != weight.cols()) {
      throw new IllegalArgumentException(
          "linear: shapes do not fit: " + Arrays.asList(out, x, weight));
    }
  }

  /** out = beta out + scale x weight^T; beta is 0 or 1. */
  static void forward(Tensor out, Tensor x, Weight weight, double scale, double beta) {
    require(out, x, weight);
    for (long from = 0; from < weight.rows(); from += weight.step()) {
      long to = Math.min(weight.rows(), from + weight.step());
      try (Nd4jWork work = new Nd4jWork()) {
        INDArray w = weight.transposed(work, from, to);
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
  static void backward(Tensor dx, Tensor dout, Weight weight, double scale) {
    require(dout, dx, weight);
    for (long from = 0; from < weight.rows(); from += weight.step()) {
      long to = Math.min(weight.rows(), from + weight.step());
      try (Nd4jWork work = new Nd4jWork()) {
        INDArray part = work.transposed(dout);
        if (to - from < weight.rows()) {
          part = work.keep(part.get(NDArrayIndex.interval(from, to), NDArrayIndex.all()));
          part = work.keep(part.dup('f'));
        }
        INDArray w = weight.transposed(work, from, to);
        Nd4j.gemm(w, part, work.transposed(dx), false, false, scale, 1);
      }
    }
  }

  /** dweight += scale dout^T x. */
  static void backwardWeight(Tensor dweight, Tensor dout, Tensor x, double scale) {
    require(dout, x, dense(dweight));
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray g = work.transposed(dout);
      Nd4j.gemm(work.transposed(x), g, work.transposed(dweight), false, true, scale, 1);
    }
  }
}
