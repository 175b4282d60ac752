package dev.nibble.quant;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.tensor.Tensor;

/** The weight W [O, I] of a linear map that does not train: it has a dx and no dW. */
public sealed interface FrozenWeight {

  /**
   * out = x W^T.
   *
   * @param out [N, O]
   * @param x [N, I]
   */
  void forward(Kernels kernels, Tensor out, Tensor x);

  /**
   * dx += dout W.
   *
   * @param dx [N, I]
   * @param dout [N, O]
   */
  void backward(Kernels kernels, Tensor dx, Tensor dout);

  /**
   * out = W, rounded once to out's dtype.
   *
   * @param out F32, BF16 or F16 [O, I]
   */
  void dequantizeInto(Kernels kernels, Tensor out);

  /** Output features O. */
  long rows();

  /** Input features I. */
  long cols();

  /** Bytes held; codebooks, which are shared, are not counted. */
  long bytes();

  /**
   * A weight as the checkpoint stores it.
   *
   * @param weight F32, BF16 or F16 [O, I]
   */
  record Dense(Tensor weight) implements FrozenWeight {
    @Override
    public void forward(Kernels kernels, Tensor out, Tensor x) {
      kernels.products().linearForward(out, x, weight);
    }

    @Override
    public void backward(Kernels kernels, Tensor dx, Tensor dout) {
      kernels.products().linearBackward(dx, dout, weight, 1);
    }

    @Override
    public void dequantizeInto(Kernels kernels, Tensor out) {
      kernels.moving().copy(out, weight);
    }

    @Override
    public long rows() {
      return weight.rows();
    }

    @Override
    public long cols() {
      return weight.cols();
    }

    @Override
    public long bytes() {
      return weight.bytes();
    }
  }

  /** A weight in 4-bit codes. */
  record FourBit(Quantized weight) implements FrozenWeight {
    @Override
    public void forward(Kernels kernels, Tensor out, Tensor x) {
      kernels.products().quantizedLinearForward(out, x, weight);
    }

    @Override
    public void backward(Kernels kernels, Tensor dx, Tensor dout) {
      kernels.products().quantizedLinearBackward(dx, dout, weight);
    }

    @Override
    public void dequantizeInto(Kernels kernels, Tensor out) {
      kernels.products().dequantize(out, weight);
    }

    @Override
    public long rows() {
      return weight.rows();
    }

    @Override
    public long cols() {
      return weight.cols();
    }

    @Override
    public long bytes() {
      return weight.bytes();
    }
  }
}
