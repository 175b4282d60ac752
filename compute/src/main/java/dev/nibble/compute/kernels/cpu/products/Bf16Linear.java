package dev.nibble.compute.kernels.cpu.products;

import dev.nibble.compute.kernels.cpu.onednn.MatMul;
import dev.nibble.compute.kernels.cpu.products.Bf16Products.Left;
import dev.nibble.compute.kernels.cpu.work.Arguments;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.TiledMatrix;

/** Linear maps of activations in bfloat16. */
final class Bf16Linear {
  private static final int MOST_TOKENS = 4096;

  private final Bf16Products products;

  Bf16Linear(Bf16Products products) {
    this.products = products;
  }

  void forward(Tensor out, Tensor x, TiledMatrix weight, float alpha, boolean add) {
    Panels panels = Panels.of(weight);
    Bf16Matrix w = panels.matrix();
    long tokens = Arguments.tokens("linearForward", out, x, w.rows(), w.cols(), w.name());
    products.multiply(
        out,
        tokens,
        w.rows(),
        w.cols(),
        new Left(x.memory().address(), false, w.cols()),
        (to, i, k, j, n, stage) -> panels.transposed(to, j, n, i, k, stage),
        alpha,
        add);
  }

  void backward(Tensor dx, Tensor dout, TiledMatrix weight, float scale) {
    Panels panels = Panels.of(weight);
    Bf16Matrix w = panels.matrix();
    long tokens = Arguments.tokens("linearBackward", dout, dx, w.rows(), w.cols(), w.name());
    products.multiply(
        dx,
        tokens,
        w.cols(),
        w.rows(),
        new Left(dout.memory().address(), false, w.rows()),
        panels::straight,
        scale,
        true);
  }

  void backwardWeight(Tensor dweight, Tensor dout, Tensor x, float scale) {
    Arguments.requireF32("linearBackwardWeight", dweight);
    long tokens = Arguments.tokens("linearBackwardWeight", dout, x, dweight);
    Panels inputs = Panels.of(x.reshape(tokens, dweight.cols()));
    long outputs = dweight.rows();
    int part;
    for (long first = 0; first < tokens; first += part) {
      long token = first;
      part = part(tokens - first);
      products.multiply(
          dweight,
          outputs,
          dweight.cols(),
          part,
          new Left(dout.memory().address() + 2 * token * outputs, true, outputs),
          (to, i, k, j, n, stage) -> inputs.straight(to, token + i, k, j, n, stage),
          scale,
          true);
    }
  }

  /**
   * How many of the tokens that are left a product sums over: batches differ in length, and a
   * product is compiled for each inner dimension, of which there must be few.
   */
  static int part(long left) {
    return left < MatMul.STEP
        ? (int) left
        : Integer.highestOneBit((int) Math.min(left, MOST_TOKENS));
  }
}
