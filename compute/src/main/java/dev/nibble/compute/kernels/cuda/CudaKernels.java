package dev.nibble.compute.kernels.cuda;

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
import dev.nibble.compute.kernels.cuda.cublas.Cublas;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The operations by theme: each delegates to the class that knows it. One caller at a time. */
final class CudaKernels implements Kernels {
  private final DType activations;
  private final Gpu gpu;
  private final Scope scratch;
  private final MoveKernels move;
  private final NormKernels norm;
  private final AttentionKernels attention;
  private final LinearKernels linear;
  private final FourBitKernels fourBit;
  private final PointwiseKernels pointwise;
  private final AdapterKernels adapter;
  private final CrossEntropyKernels crossEntropy;
  private final OptimizerKernels optimizer;

  private final String describeProducts;
  private @Nullable Products products;

  /**
   * Takes over the device: closing this set closes it.
   *
   * @param cublas who multiplies; empty for the set's own kernels
   */
  CudaKernels(Gpu gpu, DType activations, Optional<Cublas> cublas) {
    this(gpu, activations, cublas, WeightProducts.TILE_BYTES);
  }

  /**
   * Takes over the device: closing this set closes it.
   *
   * @param cublas who multiplies; empty for the set's own kernels
   * @param tileBytes scratch for weights that are brought to another dtype
   */
  CudaKernels(Gpu gpu, DType activations, Optional<Cublas> cublas, long tileBytes) {
    this.activations = activations;
    this.gpu = gpu;
    Launch launch = gpu.launch();
    scratch = Scope.open("scratch", gpu.memory(), Scope.UNLIMITED);
    try {
      move = new MoveKernels(launch, scratch);
      norm = new NormKernels(launch);
      attention = new AttentionKernels(launch, scratch);
      Products multiplies =
          cublas.isPresent()
              ? new CublasProducts(launch, cublas.get(), scratch)
              : new OwnProducts(launch, scratch);
      products = multiplies;
      describeProducts = multiplies.describe();
      Dequantizer dequantizer = new Dequantizer(launch);
      WeightProducts weights =
          new WeightProducts(launch, multiplies, dequantizer, scratch, tileBytes);
      linear = new LinearKernels(launch, weights);
      fourBit = new FourBitKernels(launch, dequantizer, weights);
      pointwise = new PointwiseKernels(launch);
      adapter = new AdapterKernels(launch);
      crossEntropy = new CrossEntropyKernels(launch);
      optimizer = new OptimizerKernels(launch, scratch);
    } catch (RuntimeException | OutOfMemoryError e) {
      close();
      throw e;
    }
  }

  /** Who multiplies matrices. */
  String describeProducts() {
    return describeProducts;
  }

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public Memory memory() {
    return gpu.memory();
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
    move.add(out, a, b);
  }

  @Override
  public void scale(Tensor x, double factor) {
    move.scale(x, factor);
  }

  @Override
  public void gatherRowsForward(Tensor out, Tensor table, Tensor rows) {
    move.gatherRowsForward(out, table, rows);
  }

  @Override
  public void gatherRowsBackward(Tensor dtable, Tensor dout, Tensor rows) {
    move.gatherRowsBackward(dtable, dout, rows);
  }

  @Override
  public void columnsForward(Tensor out, Tensor x, long from) {
    move.columnsForward(out, x, from);
  }

  @Override
  public void columnsBackward(Tensor dx, Tensor dout, long from) {
    move.columnsBackward(dx, dout, from);
  }

  @Override
  public void rmsNormForward(
      Tensor out, Tensor rstd, Tensor x, Tensor weight, double offset, double eps) {
    norm.rmsNormForward(out, rstd, x, weight, offset, eps);
  }

  @Override
  public void rmsNormBackward(
      Tensor dx, Tensor dout, Tensor x, Tensor rstd, Tensor weight, double offset) {
    norm.rmsNormBackward(dx, dout, x, rstd, weight, offset);
  }

  @Override
  public void rmsNormBackwardWeight(Tensor dweight, Tensor dout, Tensor x, Tensor rstd) {
    norm.rmsNormBackwardWeight(dweight, dout, x, rstd);
  }

  @Override
  public void ropeForward(Tensor x, Tensor cos, Tensor sin, Tensor positions) {
    norm.ropeForward(x, cos, sin, positions);
  }

  @Override
  public void ropeBackward(Tensor dx, Tensor cos, Tensor sin, Tensor positions) {
    norm.ropeBackward(dx, cos, sin, positions);
  }

  @Override
  public void attentionForward(
      Tensor out, Tensor lse, Tensor q, Tensor k, Tensor v, Tensor segments, AttentionRule rule) {
    attention.attentionForward(out, lse, q, k, v, segments, rule);
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
    attention.attentionBackward(dq, dk, dv, dout, out, lse, q, k, v, segments, rule);
  }

  @Override
  public void linearForward(Tensor out, Tensor x, Tensor weight) {
    linear.linearForward(out, x, weight);
  }

  @Override
  public void linearForwardAdd(Tensor out, Tensor x, Tensor weight, double scale) {
    linear.linearForwardAdd(out, x, weight, scale);
  }

  @Override
  public void linearBackward(Tensor dx, Tensor dout, Tensor weight, double scale) {
    linear.linearBackward(dx, dout, weight, scale);
  }

  @Override
  public void linearBackwardWeight(Tensor dweight, Tensor dout, Tensor x, double scale) {
    linear.linearBackwardWeight(dweight, dout, x, scale);
  }

  @Override
  public void biasForward(Tensor out, Tensor bias) {
    linear.biasForward(out, bias);
  }

  @Override
  public void biasBackward(Tensor dbias, Tensor dout) {
    linear.biasBackward(dbias, dout);
  }

  @Override
  public void quantize(Quantized out, Tensor in) {
    fourBit.quantize(out, in);
  }

  @Override
  public void dequantize(Tensor out, Quantized in) {
    fourBit.dequantize(out, in);
  }

  @Override
  public void quantizedLinearForward(Tensor out, Tensor x, Quantized weight) {
    fourBit.quantizedLinearForward(out, x, weight);
  }

  @Override
  public void quantizedLinearBackward(Tensor dx, Tensor dout, Quantized weight) {
    fourBit.quantizedLinearBackward(dx, dout, weight);
  }

  @Override
  public void gatedForward(Tensor out, Tensor gate, Tensor up, Activation a) {
    pointwise.gatedForward(out, gate, up, a);
  }

  @Override
  public void gatedBackward(
      Tensor dgate, Tensor dup, Tensor dout, Tensor gate, Tensor up, Activation a) {
    pointwise.gatedBackward(dgate, dup, dout, gate, up, a);
  }

  @Override
  public void softCapForward(Tensor x, double cap) {
    pointwise.softCapForward(x, cap);
  }

  @Override
  public void softCapBackward(Tensor dx, Tensor x, double cap) {
    pointwise.softCapBackward(dx, x, cap);
  }

  @Override
  public void dropoutForward(Tensor out, Tensor x, double rate, long seed) {
    pointwise.dropoutForward(out, x, rate, seed);
  }

  @Override
  public void dropoutBackward(Tensor dx, Tensor dout, double rate, long seed) {
    pointwise.dropoutBackward(dx, dout, rate, seed);
  }

  @Override
  public void scaleColumns(Tensor out, Tensor x, Tensor factors) {
    adapter.scaleColumns(out, x, factors);
  }

  @Override
  public void columnDots(Tensor out, Tensor a, Tensor b) {
    adapter.columnDots(out, a, b);
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
    adapter.addNoise(x, segments, alpha, seed);
  }

  @Override
  public void crossEntropyForward(Tensor loss, Tensor lse, Tensor logits, Tensor targets) {
    crossEntropy.crossEntropyForward(loss, lse, logits, targets);
  }

  @Override
  public void crossEntropyBackward(
      Tensor dlogits, Tensor lse, Tensor logits, Tensor targets, double scale) {
    crossEntropy.crossEntropyBackward(dlogits, lse, logits, targets, scale);
  }

  @Override
  public void sumOfSquares(Tensor out, Tensor x) {
    optimizer.sumOfSquares(out, x);
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
    return gpu.pager(scope, pageBytes, paging);
  }

  @Override
  public void close() {
    try (gpu;
        scratch) {
      if (products != null) {
        products.close();
      }
    }
  }
}
