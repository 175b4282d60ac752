package dev.nibble.compute.kernels;

import static dev.nibble.compute.kernels.ReferenceValues.accumulate;
import static dev.nibble.compute.kernels.ReferenceValues.cols;
import static dev.nibble.compute.kernels.ReferenceValues.doubles;
import static dev.nibble.compute.kernels.ReferenceValues.require;
import static dev.nibble.compute.kernels.ReferenceValues.rows;
import static dev.nibble.compute.kernels.ReferenceValues.store;
import static dev.nibble.compute.kernels.ReferenceValues.sum;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Rotation;
import dev.nibble.compute.weights.TiledMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;

/** The specification of {@link ProductKernels}, see {@link ReferenceKernels}. */
class ReferenceProductKernels implements ProductKernels {

  @Override
  public void linearForward(Tensor out, Tensor x, Tensor weight) {
    requireLinear(out, x, weight);
    store(out, timesTransposed(doubles(x), factors(weight, x), cols(x), cols(out)));
  }

  @Override
  public void linearForwardAdd(Tensor out, Tensor x, Tensor weight, double scale) {
    requireLinear(out, x, weight);
    IntToDoubleFunction y = timesTransposed(doubles(x), factors(weight, x), cols(x), cols(out));
    accumulate(out, i -> scale * y.applyAsDouble(i));
  }

  /** a b^T for a [n, m] and b [o, m]. */
  private static IntToDoubleFunction timesTransposed(double[] a, double[] b, int m, int o) {
    return i -> sum(m, j -> a[i / o * m + j] * b[i % o * m + j]);
  }

  /** A weight as it is multiplied with activations: rounded to BF16 where these are. */
  private static double[] factors(Tensor weight, Tensor activations) {
    return rounded(doubles(weight), activations);
  }

  private static double[] rounded(double[] weights, Tensor activations) {
    return activations.dtype() == DType.BF16
        ? Arrays.stream(weights).map(w -> Half.fromBf16(Half.toBf16((float) w))).toArray()
        : weights;
  }

  private static void requireLinear(Tensor out, Tensor x, Tensor weight) {
    require(
        out.rows() == x.rows() && out.cols() == weight.rows() && x.cols() == weight.cols(),
        "linear",
        out,
        x,
        weight);
  }

  @Override
  public void linearBackward(Tensor dx, Tensor dout, Tensor weight, double scale) {
    requireLinear(dout, dx, weight);
    addTimes(dx, doubles(dout), factors(weight, dout), cols(dout), scale);
  }

  /** dx += scale dout w. */
  private static void addTimes(Tensor dx, double[] dout, double[] w, int o, double scale) {
    int m = cols(dx);
    accumulate(dx, i -> scale * sum(o, k -> dout[i / m * o + k] * w[k * m + i % m]));
  }

  @Override
  public void linearBackwardWeight(Tensor dweight, Tensor dout, Tensor x, double scale) {
    requireLinear(dout, x, dweight);
    int o = cols(dout);
    int m = cols(x);
    double[] g = doubles(dout);
    double[] v = doubles(x);
    accumulate(dweight, i -> scale * sum(rows(x), n -> g[n * o + i / m] * v[n * m + i % m]));
  }

  @Override
  public void biasForward(Tensor out, Tensor bias) {
    require(bias.elements() == out.cols(), "bias", out, bias);
    accumulate(out, i -> bias.getDouble(i % cols(out)));
  }

  @Override
  public void biasBackward(Tensor dbias, Tensor dout) {
    require(dbias.elements() == dout.cols(), "bias", dbias, dout);
    accumulate(dbias, j -> sum(rows(dout), n -> dout.getDouble((long) n * cols(dout) + j)));
  }

  @Override
  public void encode(FrozenMatrix out, Tensor in) {
    require(out.elements() == in.elements(), "encode", in);
    out.encode(in);
  }

  @Override
  public void decode(Tensor out, FrozenMatrix in) {
    require(out.elements() == in.elements(), "decode", out);
    float[] w = decoded(in);
    store(out, i -> w[i]);
  }

  private static float[] decoded(FrozenMatrix matrix) {
    float[] w = new float[Math.toIntExact(matrix.elements())];
    matrix.decode(0, w.length, MemorySegment.ofArray(w));
    return w;
  }

  private static double[] weights(FrozenMatrix matrix) {
    float[] w = decoded(matrix);
    double[] d = new double[w.length];
    Arrays.setAll(d, i -> w[i]);
    return d;
  }

  @Override
  public void frozenForward(Tensor out, Tensor x, TiledMatrix weight) {
    store(out, timesTransposed(doubles(x), rounded(weights(weight), x), cols(x), cols(out)));
  }

  @Override
  public void frozenBackward(Tensor dx, Tensor dout, TiledMatrix weight) {
    addTimes(dx, doubles(dout), rounded(weights(weight), dout), cols(dout), 1);
  }

  @Override
  public void rotate(Tensor out, Tensor in, Rotation rotation) {
    double[] x = doubles(in);
    int n = Math.toIntExact(rotation.size());
    store(out, i -> sum(n, j -> element(rotation, i % n, j) * x[i / n * n + j]));
  }

  @Override
  public void rotateBack(Tensor out, Tensor in, Rotation rotation) {
    double[] x = doubles(in);
    int n = Math.toIntExact(rotation.size());
    store(out, i -> sum(n, j -> element(rotation, j, i % n) * x[i / n * n + j]));
  }

  /** Of the matrix, as its definition has it. */
  private static double element(Rotation rotation, int row, int col) {
    int power = Math.toIntExact(rotation.power());
    long base = (long) (row / power) * rotation.base().dim(0) + col / power;
    int inner = Integer.bitCount(row % power & col % power) % 2 == 0 ? 1 : -1;
    return rotation.base().getInt(base)
        * inner
        * rotation.signs().getInt(col)
        / Math.sqrt((double) rotation.size());
  }
}
