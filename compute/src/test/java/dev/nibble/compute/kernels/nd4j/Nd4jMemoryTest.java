package dev.nibble.compute.kernels.nd4j;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.kernels.Activation;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

class Nd4jMemoryTest {

  /** 50 calls with 4 MiB of temporaries each would show as 200 MiB if they stayed. */
  @Test
  void callsGiveTheirTemporariesBack() {
    try (Kernels k = new Nd4jKernelSet().open(KernelOptions.exact(0));
        Scope scope = Scope.open("test", Memory.host())) {
      Tensor gate = scope.allocate("gate", DType.F32, 1 << 20);
      Tensor up = scope.allocate("up", DType.F32, 1 << 20);
      Tensor out = scope.allocate("out", DType.F32, 1 << 20);
      for (int i = 0; i < 5; i++) {
        k.pointwise().gatedForward(out, gate, up, Activation.GELU_TANH);
      }
      long before = Pointer.physicalBytes();
      for (int i = 0; i < 50; i++) {
        k.pointwise().gatedForward(out, gate, up, Activation.GELU_TANH);
      }
      assertThat(Pointer.physicalBytes() - before).isLessThan(100L << 20);
    }
  }

  @Test
  void saysWhatItRunsOn() {
    assertThat(new Nd4jKernelSet().unavailableBecause()).isEmpty();
    assertThat(new Nd4jKernelSet().describe()).contains("ND4J").contains("threads");
  }
}
