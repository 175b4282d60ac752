package dev.nibble.compute.kernels;

import static dev.nibble.compute.kernels.ReferenceValues.accumulate;
import static dev.nibble.compute.kernels.ReferenceValues.cols;
import static dev.nibble.compute.kernels.ReferenceValues.doubles;
import static dev.nibble.compute.kernels.ReferenceValues.index;
import static dev.nibble.compute.kernels.ReferenceValues.rows;
import static dev.nibble.compute.kernels.ReferenceValues.size;
import static dev.nibble.compute.kernels.ReferenceValues.store;
import static dev.nibble.compute.kernels.ReferenceValues.sum;

import dev.nibble.compute.tensor.Tensor;

/** The specification of {@link NormKernels}, see {@link ReferenceKernels}. */
class ReferenceNormKernels implements NormKernels {

  @Override
  public void rmsNormForward(
      Tensor out, Tensor rstd, Tensor x, Tensor weight, double offset, double eps) {
    int c = cols(x);
    double[] v = doubles(x);
    for (int n = 0; n < rows(x); n++) {
      int row = n * c;
      rstd.setFloat(n, 1 / Math.sqrt(sum(c, j -> v[row + j] * v[row + j]) / c + eps));
    }
    store(out, i -> v[i] * rstd.getDouble(i / c) * (offset + weight.getDouble(i % c)));
  }

  @Override
  public void rmsNormBackward(
      Tensor dx, Tensor dout, Tensor x, Tensor rstd, Tensor weight, double offset) {
    int c = cols(x);
    double[] g = doubles(dout);
    double[] h = doubles(x);
    double[] mean = new double[rows(x)];
    for (int i = 0; i < h.length; i++) {
      g[i] *= offset + weight.getDouble(i % c);
      h[i] *= rstd.getDouble(i / c);
      mean[i / c] += g[i] * h[i] / c;
    }
    accumulate(dx, i -> rstd.getDouble(i / c) * (g[i] - h[i] * mean[i / c]));
  }

  @Override
  public void rmsNormBackwardWeight(Tensor dweight, Tensor dout, Tensor x, Tensor rstd) {
    int c = cols(x);
    accumulate(
        dweight,
        j ->
            sum(
                rows(x),
                n -> dout.getDouble(n * c + j) * x.getDouble(n * c + j) * rstd.getDouble(n)));
  }

  @Override
  public void layerNormForward(
      Tensor out, Tensor mean, Tensor rstd, Tensor x, Tensor weight, Tensor bias, double eps) {
    int c = cols(x);
    double[] v = doubles(x);
    double[] h = new double[v.length];
    for (int n = 0; n < rows(x); n++) {
      int row = n * c;
      double m = sum(c, j -> v[row + j]) / c;
      double r = 1 / Math.sqrt(sum(c, j -> Math.pow(v[row + j] - m, 2)) / c + eps);
      for (int j = 0; j < c; j++) {
        h[row + j] = (v[row + j] - m) * r;
      }
      mean.setFloat(n, m);
      rstd.setFloat(n, r);
    }
    store(out, i -> h[i] * weight.getDouble(i % c) + bias.getDouble(i % c));
  }

  /** (x - mean) rstd. */
  private static double[] normalized(Tensor x, Tensor mean, Tensor rstd) {
    int c = cols(x);
    double[] h = doubles(x);
    for (int i = 0; i < h.length; i++) {
      h[i] = (h[i] - mean.getDouble(i / c)) * rstd.getDouble(i / c);
    }
    return h;
  }

  @Override
  public void layerNormBackward(
      Tensor dx, Tensor dout, Tensor x, Tensor mean, Tensor rstd, Tensor weight) {
    int c = cols(x);
    double[] g = doubles(dout);
    double[] h = normalized(x, mean, rstd);
    double[] shift = new double[rows(x)];
    double[] dot = new double[rows(x)];
    for (int i = 0; i < h.length; i++) {
      g[i] *= weight.getDouble(i % c);
      shift[i / c] += g[i] / c;
      dot[i / c] += g[i] * h[i] / c;
    }
    accumulate(dx, i -> rstd.getDouble(i / c) * (g[i] - shift[i / c] - h[i] * dot[i / c]));
  }

  @Override
  public void layerNormBackwardWeight(
      Tensor dweight, Tensor dout, Tensor x, Tensor mean, Tensor rstd) {
    int c = cols(x);
    double[] h = normalized(x, mean, rstd);
    accumulate(dweight, j -> sum(rows(x), n -> dout.getDouble(n * c + j) * h[n * c + j]));
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
    int r = cols(cos);
    int d = cols(x);
    int heads = Math.toIntExact(x.dim(1));
    double[] v = doubles(x);
    for (int head = 0; head < rows(x); head++) {
      int angle = index(positions, head / heads, cos.rows()) * r;
      for (int j = 0; j < r; j++) {
        double c = cos.getDouble(angle + j);
        double s = sign * sin.getDouble(angle + j);
        int low = head * d + j;
        x.setFloat(low, v[low] * c - v[low + r] * s);
        x.setFloat(low + r, v[low + r] * c + v[low] * s);
      }
    }
  }

  @Override
  public void inverseRowNorms(
      Tensor out, Tensor squares, Tensor b, Tensor p, Tensor q, double scale) {
    int r = cols(b);
    int outputs = size(out);
    store(
        out,
        o -> {
          double change =
              sum(
                  r,
                  k ->
                      b.getDouble(o * r + k)
                          * (2 * scale * p.getDouble(k * outputs + o)
                              + scale * scale * q.getDouble(o * r + k)));
          return 1 / Math.sqrt(Math.max(0, squares.getDouble(o) + change));
        });
  }
}
