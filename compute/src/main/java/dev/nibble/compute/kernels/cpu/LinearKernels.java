package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import java.util.Optional;

/** Linear maps, by the dtype of activations. */
final class LinearKernels {
  private final F32Linear f32;
  private final Optional<Bf16Linear> bf16;

  /**
   * Linear maps of F32, and of BF16 where the processor multiplies it.
   *
   * @param bf16 empty where it does not
   */
  LinearKernels(F32Linear f32, Optional<Bf16Linear> bf16) {
    this.f32 = f32;
    this.bf16 = bf16;
  }

  private Bf16Linear bf16() {
    return bf16.orElseThrow(
        () -> new KernelUnavailable("kernel set cpu was opened for activations in float32"));
  }

  /** out = alpha x weight^T, or += of it. */
  void forward(Tensor out, Tensor x, Tensor weight, float alpha, boolean add) {
    if (x.dtype() == DType.BF16) {
      bf16().forward(out, x, weight, alpha, add);
    } else {
      f32.forward(out, x, weight, alpha, add ? 1 : 0);
    }
  }

  /** dx += scale dout weight. */
  void backward(Tensor dx, Tensor dout, Tensor weight, float scale) {
    if (dout.dtype() == DType.BF16) {
      bf16().backward(dx, dout, weight, scale);
    } else {
      f32.backward(dx, dout, weight, scale);
    }
  }

  /** dweight += scale dout^T x. */
  void backwardWeight(Tensor dweight, Tensor dout, Tensor x, float scale) {
    if (dout.dtype() == DType.BF16) {
      bf16().backwardWeight(dweight, dout, x, scale);
    } else {
      f32.backwardWeight(dweight, dout, x, scale);
    }
  }

  void forward(Tensor out, Tensor x, Quantized weight) {
    if (x.dtype() == DType.BF16) {
      bf16().forward(out, x, weight);
    } else {
      f32.forward(out, x, weight);
    }
  }

  void backward(Tensor dx, Tensor dout, Quantized weight) {
    if (dout.dtype() == DType.BF16) {
      bf16().backward(dx, dout, weight);
    } else {
      f32.backward(dx, dout, weight);
    }
  }
}
