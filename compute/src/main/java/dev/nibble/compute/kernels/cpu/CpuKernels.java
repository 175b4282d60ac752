package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.Activation;
import dev.nibble.compute.kernels.AdafactorStep;
import dev.nibble.compute.kernels.AdamWStep;
import dev.nibble.compute.kernels.AttentionRule;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.LionStep;
import dev.nibble.compute.kernels.Pager;
import dev.nibble.compute.kernels.Paging;
import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.kernels.SgdStep;
import dev.nibble.compute.kernels.cpu.onednn.MatMuls;
import dev.nibble.compute.kernels.cpu.onednn.OneDnn;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.Optional;

/** The operations by theme: each delegates to the class that knows it. One caller at a time. */
final class CpuKernels implements Kernels {
  private final Memory memory = Memory.host();
  private final DType activations;
  private final Workers workers;
  private final Scratch scratch;
  private final MoveKernels move;
  private final NormKernels norm;
  private final RowKernels rows;
  private final RowSums rowSums;
  private final AttentionForward attentionForward;
  private final AttentionBackward attentionBackward;
  private final Optional<MatMuls> matMuls;
  private final LinearKernels linear;
  private final Quantizer quantizer;
  private final PointwiseKernels pointwise;
  private final ActivationKernels activation;
  private final DropoutKernels dropout;
  private final AdapterKernels adapter;
  private final CrossEntropyKernels crossEntropy;
  private final OptimizerKernels optimizer;

  /** A set for activations in F32 or BF16. */
  CpuKernels(OneDnn onednn, int threads, DType activations) {
    this.activations = activations;
    workers = new Workers(threads);
    scratch = new Scratch(threads);
    Stretches stretches = new Stretches(workers, scratch);
    Gemm gemm = new Gemm(onednn, workers);
    move = new MoveKernels(workers, scratch);
    norm = new NormKernels(stretches);
    rows = new RowKernels(stretches);
    rowSums = new RowSums(stretches);
    matMuls =
        activations == DType.BF16 ? Optional.of(new MatMuls(onednn, threads)) : Optional.empty();
    var attention =
        new AttentionProducts(new F32BlockProducts(gemm), matMuls.map(Bf16BlockProducts::new));
    attentionForward = new AttentionForward(attention, stretches);
    attentionBackward = new AttentionBackward(attention, stretches);
    linear =
        new LinearKernels(
            new F32Linear(gemm, workers, scratch),
            matMuls.map(m -> new Bf16Linear(new Bf16Products(m, workers, scratch))));
    quantizer = new Quantizer(workers, scratch);
    pointwise = new PointwiseKernels(stretches);
    activation = new ActivationKernels(stretches);
    dropout = new DropoutKernels(stretches);
    adapter = new AdapterKernels(workers, stretches);
    crossEntropy = new CrossEntropyKernels(stretches);
    optimizer = new OptimizerKernels(workers);
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public Memory memory() {
    return memory;
  }

  @Override
  public DType activations() {
    return activations;
  }

  @Override
  public void fill(Tensor out, double value) {
    move.fill(out, value);
  }

  @Override
  public void copy(Tensor out, Tensor in) {
    move.copy(out, in);
  }

  @Override
  public void add(Tensor out, Tensor a, Tensor b) {
    pointwise.add(out, a, b);
  }

  @Override
  public void scale(Tensor x, double factor) {
    pointwise.scale(x, factor);
  }

  @Override
  public void gatherRowsForward(Tensor out, Tensor table, Tensor indices) {
    rows.gatherForward(out, table, indices);
  }

  @Override
  public void gatherRowsBackward(Tensor dtable, Tensor dout, Tensor indices) {
    rows.gatherBackward(dtable, dout, indices);
  }

  @Override
  public void columnsForward(Tensor out, Tensor x, long from) {
    rows.columnsForward(out, x, from);
  }

  @Override
  public void columnsBackward(Tensor dx, Tensor dout, long from) {
    rows.columnsBackward(dx, dout, from);
  }

  @Override
  public void rmsNormForward(
      Tensor out, Tensor rstd, Tensor x, Tensor weight, double offset, double eps) {
    norm.forward(out, rstd, x, weight, (float) offset, eps);
  }

  @Override
  public void rmsNormBackward(
      Tensor dx, Tensor dout, Tensor x, Tensor rstd, Tensor weight, double offset) {
    norm.backward(dx, dout, x, rstd, weight, (float) offset);
  }

  @Override
  public void rmsNormBackwardWeight(Tensor dweight, Tensor dout, Tensor x, Tensor rstd) {
    rowSums.normBackwardWeight(dweight, dout, x, rstd);
  }

  @Override
  public void ropeForward(Tensor x, Tensor cos, Tensor sin, Tensor positions) {
    norm.rope(x, cos, sin, positions, 1);
  }

  @Override
  public void ropeBackward(Tensor dx, Tensor cos, Tensor sin, Tensor positions) {
    norm.rope(dx, cos, sin, positions, -1);
  }

  @Override
  public void attentionForward(
      Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, Tensor segments, AttentionRule rule) {
    attentionForward.run(out, lse, q, k, v, segments, rule);
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
    attentionBackward.run(dq, dk, dv, dout, out, lse, q, k, v, segments, rule);
  }

  @Override
  public void linearForward(Tensor out, Tensor x, Tensor weight) {
    linear.forward(out, x, weight, 1, false);
  }

  @Override
  public void linearForwardAdd(Tensor out, Tensor x, Tensor weight, double scale) {
    linear.forward(out, x, weight, (float) scale, true);
  }

  @Override
  public void linearBackward(Tensor dx, Tensor dout, Tensor weight, double scale) {
    linear.backward(dx, dout, weight, (float) scale);
  }

  @Override
  public void linearBackwardWeight(Tensor dweight, Tensor dout, Tensor x, double scale) {
    linear.backwardWeight(dweight, dout, x, (float) scale);
  }

  @Override
  public void biasForward(Tensor out, Tensor bias) {
    rows.biasForward(out, bias);
  }

  @Override
  public void biasBackward(Tensor dbias, Tensor dout) {
    rowSums.biasBackward(dbias, dout);
  }

  @Override
  public void quantize(Quantized out, Tensor in) {
    quantizer.quantize(out, in);
  }

  @Override
  public void dequantize(Tensor out, Quantized in) {
    move.dequantize(out, in);
  }

  @Override
  public void quantizedLinearForward(Tensor out, Tensor x, Quantized weight) {
    linear.forward(out, x, weight);
  }

  @Override
  public void quantizedLinearBackward(Tensor dx, Tensor dout, Quantized weight) {
    linear.backward(dx, dout, weight);
  }

  @Override
  public void gatedForward(Tensor out, Tensor gate, Tensor up, Activation a) {
    activation.gatedForward(out, gate, up, a);
  }

  @Override
  public void gatedBackward(
      Tensor dgate, Tensor dup, Tensor dout, Tensor gate, Tensor up, Activation a) {
    activation.gatedBackward(dgate, dup, dout, gate, up, a);
  }

  @Override
  public void softCapForward(Tensor x, double cap) {
    activation.softCapForward(x, (float) cap);
  }

  @Override
  public void softCapBackward(Tensor dx, Tensor x, double cap) {
    activation.softCapBackward(dx, x, (float) cap);
  }

  @Override
  public void dropoutForward(Tensor out, Tensor x, double rate, long seed) {
    dropout.forward(out, x, rate, seed);
  }

  @Override
  public void dropoutBackward(Tensor dx, Tensor dout, double rate, long seed) {
    dropout.backward(dx, dout, rate, seed);
  }

  @Override
  public void scaleColumns(Tensor out, Tensor x, Tensor factors) {
    adapter.scaleColumns(out, x, factors);
  }

  @Override
  public void columnDots(Tensor out, Tensor a, Tensor b) {
    rowSums.columnDots(out, a, b);
  }

  @Override
  public void inverseRowNorms(
      Tensor out, Tensor squares, Tensor b, Tensor p, Tensor q, double scale) {
    adapter.inverseRowNorms(out, squares, b, p, q, scale);
  }

  @Override
  public void gatherColumnsForward(Tensor out, Tensor table, Tensor columns) {
    adapter.gatherColumnsForward(out, table, columns);
  }

  @Override
  public void gatherColumnsBackward(Tensor dtable, Tensor dout, Tensor columns) {
    adapter.gatherColumnsBackward(dtable, dout, columns);
  }

  @Override
  public void addNoise(Tensor x, Tensor segments, double alpha, long seed) {
    dropout.addNoise(x, segments, alpha, seed);
  }

  @Override
  public void crossEntropyForward(Tensor loss, Tensor lse, Tensor logits, Tensor targets) {
    crossEntropy.forward(loss, lse, logits, targets);
  }

  @Override
  public void crossEntropyBackward(
      Tensor dlogits, Tensor lse, Tensor logits, Tensor targets, double scale) {
    crossEntropy.backward(dlogits, lse, logits, targets, (float) scale);
  }

  @Override
  public void sumOfSquares(Tensor out, Tensor x) {
    out.setFloat(0, out.getDouble(0) + pointwise.sumOfSquares(x));
  }

  @Override
  public void adamW(Tensor weight, Tensor m, Tensor v, Tensor gradient, AdamWStep step) {
    optimizer.adamW(weight, m, v, gradient, step);
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
    optimizer.adamW8bit(weight, m, mScales, v, vScales, gradient, step);
  }

  @Override
  public void lion(Tensor weight, Tensor m, Tensor gradient, LionStep step) {
    optimizer.lion(weight, m, gradient, step);
  }

  @Override
  public void sgd(Tensor weight, Tensor velocity, Tensor gradient, SgdStep step) {
    optimizer.sgd(weight, velocity, gradient, step);
  }

  @Override
  public void adafactor(
      Tensor weight, Tensor rows, Tensor columns, Tensor gradient, AdafactorStep step) {
    optimizer.adafactor(weight, rows, columns, gradient, step);
  }

  @Override
  public Pager pager(Scope scope, long[] pageBytes, Paging paging) {
    return Pager.onHost(scope, pageBytes, paging);
  }

  @Override
  public void close() {
    workers.close();
    matMuls.ifPresent(MatMuls::close);
    scratch.close();
  }
}
