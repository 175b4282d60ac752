package dev.nibble.compute.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/**
 * 67 weights ((37 i mod 101) - 50) / 64 in blocks of 64, with the bytes that bitsandbytes' rule
 * gives.
 */
class ReferenceQuantizerTest {

  private static String packed(float[] codebook) {
    try (Scope scope = Scope.open("test", Memory.host())) {
      Tensor in = scope.allocate("in", DType.BF16, 67);
      for (int i = 0; i < 67; i++) {
        in.setFloat(i, (37 * i % 101 - 50) / 64.0);
      }
      Tensor absmax = scope.allocate("absmax", DType.F32, 2);
      Quantized out =
          new Quantized(
              scope.allocate("codes", DType.U8, 34),
              scope.allocate("codebook", DType.F32, 16).put(codebook),
              new Quantized.Scales.Plain(absmax),
              1,
              67,
              64);
      new ReferenceKernels().products().quantize(out, in);
      assertThat(absmax.toFloats()).containsExactly(0.78125f, 0.5f);
      byte[] bytes = new byte[34];
      for (int i = 0; i < 34; i++) {
        bytes[i] = (byte) out.codes().getInt(i);
      }
      return HexFormat.of().formatHex(bytes);
    }
  }

  @Test
  void nf4() {
    assertThat(packed(QuantizedArguments.NF4))
        .isEqualTo("04c16e29f3b05d17e29f3c05d18e2af4c16e18e3b05d17e29f3b05d18e2af4c15f07");
  }

  @Test
  void fp4() {
    assertThat(packed(QuantizedArguments.FP4))
        .isEqualTo("bf5a92a63c4be5a02d63c4be2a12d73f5a92a63d4bf5a92d63c4be5a12d73c5be3b0");
  }
}
