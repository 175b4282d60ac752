package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.KernelConformance;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelOptions.Activations;
import dev.nibble.compute.kernels.KernelOptions.Cublas;
import dev.nibble.compute.kernels.KernelOptions.DeviceMemory;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import java.util.OptionalInt;
import org.junit.jupiter.api.extension.ExtendWith;

/** Activations in bfloat16, on processors that multiply it. */
@ExtendWith(NeedsBf16.class)
final class CpuInBf16ConformanceTest extends KernelConformance {
  @Override
  protected Kernels open() {
    return new CpuKernelSet().open(inBf16());
  }

  static KernelOptions inBf16() {
    return new KernelOptions(
        2,
        Activations.BF16,
        OptionalInt.empty(),
        KernelOptions.Debug.NONE,
        new Cublas.Auto(),
        DeviceMemory.AUTO);
  }

  @Override
  protected DType activations() {
    return DType.BF16;
  }
}
