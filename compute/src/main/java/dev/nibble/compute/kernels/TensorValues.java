package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/** Copies between Java arrays and tensors on any device. Not for use in a training step. */
public final class TensorValues {
  private TensorValues() {}

  /** Sets the elements of a floating tensor, rounding to its dtype. As many as there are values. */
  public static void put(Kernels kernels, Tensor to, float... values) {
    if (to.elements() != values.length) {
      throw new IllegalArgumentException("%d values for %s".formatted(values.length, to));
    }
    if (to.isPlanned()) {
      return;
    }
    if (to.device() instanceof Device.Host) {
      to.put(values);
      return;
    }
    try (Scope host = Scope.open("values", Memory.host())) {
      kernels.moving().copy(to, host.allocate("values", DType.F32, values.length).put(values));
    }
  }

  /** All elements of a tensor as floats; zeros for a planned tensor. */
  public static float[] of(Kernels kernels, Tensor from) {
    if (from.isPlanned()) {
      return new float[Math.toIntExact(from.elements())];
    }
    try (HostCopies host = new HostCopies(kernels)) {
      return host.of(from).toFloats();
    }
  }
}
