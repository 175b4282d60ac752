package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.kernels.Activation;
import dev.nibble.compute.kernels.AdafactorStep;
import dev.nibble.compute.kernels.AdamWStep;
import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.LionStep;
import dev.nibble.compute.kernels.Pager;
import dev.nibble.compute.kernels.Paging;
import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.kernels.SgdStep;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.Arrays;
import java.util.Objects;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Kernels as ND4J operations on arrays that view the tensors' memory. Temporaries live as long as a
 * call.
 */
final class Nd4jKernels implements Kernels {
  /** What is worked on at once where temporaries are of another type. */
  static final long MOST_ELEMENTS = 1 << 22;

  @Override
  public String name() {
    return "nd4j";
  }

  @Override
  public Memory memory() {
    return Memory.host();
  }

  @Override
  public DType activations() {
    return DType.F32;
  }

  @Override
  public void close() {}

  private static void require(boolean fits, String kernel, Tensor... tensors) {
    if (!fits) {
      throw new IllegalArgumentException(
          kernel + ": shapes do not fit: " + Arrays.toString(tensors));
    }
  }

  /** Checks indices, and gives them as an array. */
  static INDArray indices(Nd4jWork work, Tensor indices, long limit) {
    for (long i = 0; i < indices.elements(); i++) {
      Objects.checkIndex(indices.getLong(i), limit);
    }
    return work.flat(indices);
  }

  // ---- moving data ----

  @Override
  public void fill(Tensor out, double value) {
    try (Nd4jWork work = new Nd4jWork()) {
      work.flat(out).assign(rounded(value, out.dtype()));
    }
  }

  /** ND4J cuts a number that it writes into 16 bits, where it rounds an array. */
  private static double rounded(double value, DType dtype) {
    return switch (dtype) {
      case F64, F32 -> value;
      case BF16 -> Half.fromBf16(Half.toBf16((float) value));
      case F16 -> Half.fromF16(Half.toF16((float) value));
      case I64, I32, I16, I8, U8, BOOL -> Math.round(value);
    };
  }

  @Override
  public void copy(Tensor out, Tensor in) {
    require(out.elements() == in.elements(), "copy", out, in);
    try (Nd4jWork work = new Nd4jWork()) {
      work.flat(out).assign(work.flat(in));
    }
  }

  @Override
  public void add(Tensor out, Tensor a, Tensor b) {
    require(out.elements() == a.elements() && a.elements() == b.elements(), "add", out, a, b);
    try (Nd4jWork work = new Nd4jWork()) {
      work.flat(a).addi(work.flat(b), work.flat(out));
    }
  }

  @Override
  public void scale(Tensor x, double factor) {
    try (Nd4jWork work = new Nd4jWork()) {
      work.flat(x).muli(factor);
    }
  }

  @Override
  public void gatherRowsForward(Tensor out, Tensor table, Tensor rows) {
    require(
        out.rows() == rows.elements() && out.cols() == table.cols(),
        "gatherRows",
        out,
        table,
        rows);
    try (Nd4jWork work = new Nd4jWork()) {
      work.matrix(out).assign(work.gather(work.matrix(table), indices(work, rows, table.rows())));
    }
  }

  @Override
  public void gatherRowsBackward(Tensor dtable, Tensor dout, Tensor rows) {
    require(
        dout.rows() == rows.elements() && dout.cols() == dtable.cols(),
        "gatherRows",
        dtable,
        dout,
        rows);
    try (Nd4jWork work = new Nd4jWork()) {
      work.scatterAdd(work.matrix(dtable), indices(work, rows, dtable.rows()), work.matrix(dout));
    }
  }

  @Override
  public void columnsForward(Tensor out, Tensor x, long from) {
    try (Nd4jWork work = new Nd4jWork()) {
      work.matrix(out).assign(columns(work, x, out, from));
    }
  }

  @Override
  public void columnsBackward(Tensor dx, Tensor dout, long from) {
    try (Nd4jWork work = new Nd4jWork()) {
      columns(work, dx, dout, from).addi(work.matrix(dout));
    }
  }

  private static INDArray columns(Nd4jWork work, Tensor whole, Tensor part, long from) {
    require(
        from >= 0 && from + part.cols() <= whole.cols() && part.rows() == whole.rows(),
        "columns",
        whole,
        part);
    return work.keep(
        work.matrix(whole)
            .get(NDArrayIndex.all(), NDArrayIndex.interval(from, from + part.cols())));
  }

  // ---- normalisation and position ----

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
    Nd4jNorm.forward(out, rstd, x, weight, offset, eps);
  }

  @Override
  public void rmsNormBackward(
      Tensor dx, Tensor dout, Tensor x, Tensor rstd, Tensor weight, double offset) {
    Nd4jNorm.backward(dx, dout, x, rstd, weight, offset);
  }

  @Override
  public void rmsNormBackwardWeight(Tensor dweight, Tensor dout, Tensor x, Tensor rstd) {
    Nd4jNorm.backwardWeight(dweight, dout, x, rstd);
  }

  @Override
  public void ropeForward(Tensor x, Tensor cos, Tensor sin, Tensor positions) {
    turn(x, cos, sin, positions, 1);
  }

  @Override
  public void ropeBackward(Tensor dx, Tensor cos, Tensor sin, Tensor positions) {
    turn(dx, cos, sin, positions, -1);
  }

  private static void turn(Tensor x, Tensor cos, Tensor sin, Tensor positions, int sign) {
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

  // ---- attention ----

  @Override
  public void attentionForward(
      Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, Tensor segments, AttentionRule rule) {
    new Nd4jAttention(q, k, rule).forward(out, lse, v, segments);
  }

  @Override
  public void attentionBackward(
      Tensor dq,
      Tensor dk,
      Tensor dv,
      Tensor dout,
      Tensor out,
      Tensor lse,
      Tensor q,
      Tensor k,
      Tensor v,
      Tensor segments,
      AttentionRule rule) {
    new Nd4jAttention(q, k, rule).backward(dq, dk, dv, dout, out, lse, v, segments);
  }

  // ---- linear maps ----

  @Override
  public void linearForward(Tensor out, Tensor x, Tensor weight) {
    Nd4jLinear.forward(out, x, Nd4jLinear.dense(weight), 1, 0);
  }

  @Override
  public void linearForwardAdd(Tensor out, Tensor x, Tensor weight, double scale) {
    Nd4jLinear.forward(out, x, Nd4jLinear.dense(weight), scale, 1);
  }

  @Override
  public void linearBackward(Tensor dx, Tensor dout, Tensor weight, double scale) {
    Nd4jLinear.backward(dx, dout, Nd4jLinear.dense(weight), scale);
  }

  @Override
  public void linearBackwardWeight(Tensor dweight, Tensor dout, Tensor x, double scale) {
    Nd4jLinear.backwardWeight(dweight, dout, x, scale);
  }

  @Override
  public void biasForward(Tensor out, Tensor bias) {
    require(bias.elements() == out.cols(), "bias", out, bias);
    try (Nd4jWork work = new Nd4jWork()) {
      work.matrix(out).addiRowVector(work.cast(work.view(bias, 1, out.cols()), DataType.FLOAT));
    }
  }

  @Override
  public void biasBackward(Tensor dbias, Tensor dout) {
    require(dbias.elements() == dout.cols(), "bias", dbias, dout);
    try (Nd4jWork work = new Nd4jWork()) {
      work.flat(dbias).addi(work.keep(work.matrix(dout).sum(0)));
    }
  }

  // ---- frozen 4-bit weights ----

  @Override
  public void quantize(Quantized out, Tensor in) {
    require(out.elements() == in.elements(), "quantize", out.codes(), in);
    Nd4jQuantizer.quantize(out, in);
  }

  @Override
  public void dequantize(Tensor out, Quantized in) {
    require(out.elements() == in.elements(), "dequantize", out, in.codes());
    Nd4jQuantizer.dequantize(out, in);
  }

  @Override
  public void quantizedLinearForward(Tensor out, Tensor x, Quantized weight) {
    Nd4jLinear.forward(out, x, Nd4jLinear.fourBit(weight), 1, 0);
  }

  @Override
  public void quantizedLinearBackward(Tensor dx, Tensor dout, Quantized weight) {
    Nd4jLinear.backward(dx, dout, Nd4jLinear.fourBit(weight), 1);
  }

  // ---- pointwise ----

  @Override
  public void gatedForward(Tensor out, Tensor gate, Tensor up, Activation a) {
    require(
        out.elements() == gate.elements() && gate.elements() == up.elements(),
        "gated",
        out,
        gate,
        up);
    Nd4jActivation.gatedForward(out, gate, up, a);
  }

  @Override
  public void gatedBackward(
      Tensor dgate, Tensor dup, Tensor dout, Tensor gate, Tensor up, Activation a) {
    Nd4jActivation.gatedBackward(dgate, dup, dout, gate, up, a);
  }

  @Override
  public void softCapForward(Tensor x, double cap) {
    Nd4jActivation.softCapForward(x, cap);
  }

  @Override
  public void softCapBackward(Tensor dx, Tensor x, double cap) {
    require(dx.elements() == x.elements(), "softCap", dx, x);
    Nd4jActivation.softCapBackward(dx, x, cap);
  }

  @Override
  public void dropoutForward(Tensor out, Tensor x, double rate, long seed) {
    require(out.elements() == x.elements(), "dropout", out, x);
    try (Nd4jWork work = new Nd4jWork()) {
      work.flat(x).muli(mask(work, x.elements(), rate, seed), work.flat(out));
    }
  }

  @Override
  public void dropoutBackward(Tensor dx, Tensor dout, double rate, long seed) {
    require(dx.elements() == dout.elements(), "dropout", dx, dout);
    try (Nd4jWork work = new Nd4jWork()) {
      work.flat(dx).addi(mask(work, dout.elements(), rate, seed).muli(work.flat(dout)));
    }
  }

  /**
   * 0 where dropped, else 1 / (1 - rate). ND4J has no unsigned shift of 64-bit numbers, so Java
   * draws the mask.
   */
  private static INDArray mask(Nd4jWork work, long n, double rate, long seed) {
    float kept = (float) (1 / (1 - rate));
    float[] mask = new float[Math.toIntExact(n)];
    for (int i = 0; i < mask.length; i++) {
      mask[i] = Dropout.isDropped(seed, i, rate) ? 0 : kept;
    }
    return work.keep(Nd4j.createFromArray(mask));
  }

  // ---- adapters ----

  @Override
  public void scaleColumns(Tensor out, Tensor x, Tensor factors) {
    Nd4jAdapters.scaleColumns(out, x, factors);
  }

  @Override
  public void columnDots(Tensor out, Tensor a, Tensor b) {
    Nd4jAdapters.columnDots(out, a, b);
  }

  @Override
  public void inverseRowNorms(
      Tensor out, Tensor squares, Tensor b, Tensor p, Tensor q, double scale) {
    Nd4jAdapters.inverseRowNorms(out, squares, b, p, q, scale);
  }

  @Override
  public void gatherColumnsForward(Tensor out, Tensor table, Tensor columns) {
    Nd4jAdapters.gatherColumnsForward(out, table, columns);
  }

  @Override
  public void gatherColumnsBackward(Tensor dtable, Tensor dout, Tensor columns) {
    Nd4jAdapters.gatherColumnsBackward(dtable, dout, columns);
  }

  @Override
  public void addNoise(Tensor x, Tensor segments, double alpha, long seed) {
    Nd4jAdapters.addNoise(x, segments, alpha, seed);
  }

  // ---- loss ----

  @Override
  public void crossEntropyForward(Tensor loss, Tensor lse, Tensor logits, Tensor targets) {
    require(
        loss.elements() == logits.rows() && targets.elements() == logits.rows(),
        "crossEntropy",
        loss,
        logits,
        targets);
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray z = work.matrix(logits);
      INDArray max = work.keep(z.max(true, 1));
      INDArray shifted = work.keep(z.subColumnVector(max));
      INDArray sum = work.keep(Transforms.exp(shifted, false).sum(true, 1));
      INDArray logSum = Transforms.log(sum, false).addi(max);
      work.view(lse, logits.rows(), 1).assign(logSum);
      INDArray chosen =
          work.gather(
              work.view(logits, logits.elements(), 1), targetIndices(work, logits, targets));
      logSum.subi(chosen, work.view(loss, logits.rows(), 1));
    }
  }

  /** Where the targets' logits lie in the flat matrix. */
  private static INDArray targetIndices(Nd4jWork work, Tensor logits, Tensor targets) {
    long[] at = new long[Math.toIntExact(targets.elements())];
    for (int m = 0; m < at.length; m++) {
      at[m] = m * logits.cols() + Objects.checkIndex(targets.getLong(m), logits.cols());
    }
    return work.keep(Nd4j.createFromArray(at));
  }

  @Override
  public void crossEntropyBackward(
      Tensor dlogits, Tensor lse, Tensor logits, Tensor targets, double scale) {
    require(
        dlogits.elements() == logits.elements() && lse.elements() == logits.rows(),
        "crossEntropy",
        dlogits,
        lse,
        logits,
        targets);
    try (Nd4jWork work = new Nd4jWork()) {
      INDArray at = targetIndices(work, logits, targets);
      INDArray p = work.keep(work.matrix(logits).subColumnVector(work.view(lse, logits.rows(), 1)));
      work.matrix(dlogits).assign(Transforms.exp(p, false));
      INDArray minusOne = work.empty(targets.elements(), 1).assign(-1);
      work.scatterAdd(work.view(dlogits, dlogits.elements(), 1), at, minusOne);
      work.matrix(dlogits).muli(scale);
    }
  }

  // ---- optimizer ----

  @Override
  public void sumOfSquares(Tensor out, Tensor x) {
    for (long from = 0; from < x.elements(); from += MOST_ELEMENTS) {
      long n = Math.min(MOST_ELEMENTS, x.elements() - from);
      try (Nd4jWork work = new Nd4jWork()) {
        INDArray d = work.cast(work.flat(x.part(from, n)), DataType.DOUBLE);
        work.flat(out).addi(work.keep(d.muli(d).sum()));
      }
    }
  }

  @Override
  public void adamW(Tensor weight, Tensor m, Tensor v, Tensor gradient, AdamWStep step) {
    Nd4jOptimizers.adamW(weight, m, v, gradient, step);
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
    Nd4jOptimizers.lion(weight, m, gradient, step);
  }

  @Override
  public void sgd(Tensor weight, Tensor velocity, Tensor gradient, SgdStep step) {
    Nd4jOptimizers.sgd(weight, velocity, gradient, step);
  }

  @Override
  public void adafactor(
      Tensor weight, Tensor rows, Tensor columns, Tensor gradient, AdafactorStep step) {
    Nd4jOptimizers.adafactor(weight, rows, columns, gradient, step);
  }

  @Override
  public Pager pager(Scope scope, long[] pageBytes, Paging paging) {
    return Pager.onHost(scope, pageBytes, paging);
  }
}
