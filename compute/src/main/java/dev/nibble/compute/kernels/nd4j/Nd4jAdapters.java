package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.tensor.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** What adapters need besides linear maps: DoRA's lengths, look-up in A, noise. */
final class Nd4jAdapters {
  private Nd4jAdapters() {}

  static void scaleColumns(Tensor out, Tensor x, Tensor factors) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray f = work.view(factors, 1, factors.elements());
      long rows = x.elements() / factors.elements();
      INDArray product = work.keep(work.view(x, rows, factors.elements()).mulRowVector(f));
      work.view(out, rows, factors.elements()).assign(product);
    }
  }

  static void columnDots(Tensor out, Tensor a, Tensor b) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray products = work.keep(work.matrix(a).mul(work.matrix(b)));
      work.flat(out).addi(work.keep(products.sum(0)));
    }
  }

  static void inverseRowNorms(
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

  static void gatherColumnsForward(Tensor out, Tensor table, Tensor columns) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray upright = work.keep(work.transposed(table).dup('c'));
      INDArray rows = Nd4jKernels.indices(work, columns, table.cols());
      work.matrix(out).assign(work.gather(upright, rows));
    }
  }

  static void gatherColumnsBackward(Tensor dtable, Tensor dout, Tensor columns) {
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray upright = work.keep(work.transposed(dtable).dup('c'));
      INDArray rows = Nd4jKernels.indices(work, columns, dtable.cols());
      work.scatterAdd(upright, rows, work.matrix(dout));
      work.transposed(dtable).assign(upright);
    }
  }

  /** ND4J has no unsigned shift of 64-bit numbers, so Java draws the noise. */
  static void addNoise(Tensor x, Tensor segments, double alpha, long seed) {
    float[] noise = new float[Math.toIntExact(x.elements())];
    for (long s = 0; s < segments.rows(); s++) {
      long start = segments.getLong(4 * s);
      long length = segments.getLong(4 * s + 1);
      float magnitude = (float) (alpha / Math.sqrt((double) length * x.cols()));
      for (long i = start * x.cols(); i < (start + length) * x.cols(); i++) {
        noise[(int) i] = magnitude * Dropout.uniform(seed, i);
      }
    }
    try (Nd4jWork work = new Nd4jWork()) {
      work.flat(x).addi(work.keep(Nd4j.createFromArray(noise)));
    }
  }
}
