package dev.nibble.compute.kernels.cuda;

import dev.nibble.compute.kernels.Activation;
import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.tensor.Tensor;

/** Activations and dropout. */
final class PointwiseKernels {
  private final Launch launch;

  PointwiseKernels(Launch launch) {
    this.launch = launch;
  }

  void gatedForward(Tensor out, Tensor gate, Tensor up, Activation a) {
    Arguments.requireAlike("gated", out, gate, up);
    String kernel =
        switch (a) {
          case SILU -> "gated_forward_silu";
          case GELU_TANH -> "gated_forward_gelu";
        };
    long n = out.elements();
    launch
        .kernel(kernel, out.dtype())
        .tensor(out)
        .tensor(gate)
        .tensor(up)
        .i64(n)
        .each(Math.ceilDiv(n, 8));
  }

  void gatedBackward(Tensor dgate, Tensor dup, Tensor dout, Tensor gate, Tensor up, Activation a) {
    Arguments.requireAlike("gated", dout, dgate, dup, gate, up);
    String kernel =
        switch (a) {
          case SILU -> "gated_backward_silu";
          case GELU_TANH -> "gated_backward_gelu";
        };
    long n = dout.elements();
    launch
        .kernel(kernel, dout.dtype())
        .tensor(dgate)
        .tensor(dup)
        .tensor(dout)
        .tensor(gate)
        .tensor(up)
        .i64(n)
        .each(Math.ceilDiv(n, 8));
  }

  void softCapForward(Tensor x, double cap) {
    Arguments.requireActivations("softCap", x);
    long n = x.elements();
    launch.kernel("soft_cap_forward", x.dtype()).tensor(x).f32(cap).i64(n).each(Math.ceilDiv(n, 8));
  }

  void softCapBackward(Tensor dx, Tensor x, double cap) {
    Arguments.requireAlike("softCap", dx, x);
    long n = x.elements();
    launch
        .kernel("soft_cap_backward", x.dtype())
        .tensor(dx)
        .tensor(x)
        .f32(cap)
        .i64(n)
        .each(Math.ceilDiv(n, 8));
  }

  void dropoutForward(Tensor out, Tensor x, double rate, long seed) {
    dropout("dropout_forward", out, x, rate, seed);
  }

  void dropoutBackward(Tensor dx, Tensor dout, double rate, long seed) {
    dropout("dropout_backward", dx, dout, rate, seed);
  }

  private void dropout(String kernel, Tensor to, Tensor from, double rate, long seed) {
    Arguments.requireAlike("dropout", to, from);
    long n = to.elements();
    launch
        .kernel(kernel, to.dtype())
        .tensor(to)
        .tensor(from)
        .f32(1 - rate)
        .i64(Dropout.threshold(rate))
        .i64(seed)
        .i64(n)
        .each(Math.ceilDiv(n, 8));
  }
}
