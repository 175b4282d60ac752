package dev.nibble.quant.bnb;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Codebook.Scales;
import dev.nibble.quant.EachKernelSet;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Small cases that were worked out by hand from the rule. */
final class QuantizeVectorTest {

  private static Codebook quantize(Kernels kernels, Scope scope, FourBitFormat format, Tensor in) {
    Codebook q = format.allocator(kernels, scope).allocate("q", 1, in.elements());
    kernels.products().encode(q, in);
    return q;
  }

  private static String hex(Kernels kernels, Tensor t) {
    try (HostCopies host = new HostCopies(kernels)) {
      return HexFormat.of().formatHex(host.of(t).memory().toArray(ValueLayout.JAVA_BYTE));
    }
  }

  /** One whole block and a block of three, with a half byte to spare. */
  @ParameterizedTest
  @MethodSource("dev.nibble.quant.EachKernelSet#names")
  void oddLengthWithAShortBlock(String set) {
    try (Kernels kernels = EachKernelSet.open(set);
        Scope scope = Scope.open("test", kernels.memory())) {
      for (DType dtype : new DType[] {DType.F32, DType.BF16, DType.F16}) {
        Tensor x = scope.allocate("x", dtype, 67);
        float[] values = new float[67];
        for (int i = 0; i < 67; i++) {
          values[i] = (37 * i % 101 - 50) / 64f;
        }
        TensorValues.put(kernels, x, values);
        Codebook nf4 = quantize(kernels, scope, new FourBitFormat(QuantType.NF4, 64, false), x);
        assertThat(hex(kernels, nf4.codes()))
            .isEqualTo("04c16e29f3b05d17e29f3c05d18e2af4c16e18e3b05d17e29f3b05d18e2af4c15f07");
        assertThat(TensorValues.of(kernels, ((Scales.Plain) nf4.scales()).absmax()))
            .containsExactly(0.78125f, 0.5f);
        Codebook fp4 = quantize(kernels, scope, new FourBitFormat(QuantType.FP4, 64, false), x);
        assertThat(hex(kernels, fp4.codes()))
            .isEqualTo("bf5a92a63c4be5a02d63c4be2a12d73f5a92a63d4bf5a92d63c4be5a12d73c5be3b0");
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.nibble.quant.EachKernelSet#names")
  void nestedScales(String set) {
    try (Kernels kernels = EachKernelSet.open(set);
        Scope scope = Scope.open("test", kernels.memory())) {
      Tensor x = scope.allocate("x", DType.F32, 4, 64);
      float[] scales = {0.5f, 0.25f, 0.75f, 1f};
      float[] values = new float[256];
      for (int i = 0; i < 256; i++) {
        values[i] = scales[i / 64] * (i % 2 == 0 ? 1 : -0.5f);
      }
      TensorValues.put(kernels, x, values);
      Codebook q = quantize(kernels, scope, new FourBitFormat(QuantType.NF4, 64, true), x);
      Scales.Nested nested = (Scales.Nested) q.scales();
      assertThat(TensorValues.of(kernels, nested.offset())).containsExactly(0.625f);
      assertThat(TensorValues.of(kernels, nested.absmax())).containsExactly(0.375f);
      assertThat(hex(kernels, nested.codes())).isEqualTo("2f00cfff");
    }
  }

  @ParameterizedTest
  @MethodSource("dev.nibble.quant.EachKernelSet#names")
  void zerosStayZero(String set) {
    try (Kernels kernels = EachKernelSet.open(set);
        Scope scope = Scope.open("test", kernels.memory())) {
      for (QuantType type : QuantType.values()) {
        for (boolean nested : new boolean[] {false, true}) {
          Tensor x = scope.allocate("x", DType.BF16, 131);
          Codebook q = quantize(kernels, scope, new FourBitFormat(type, 64, nested), x);
          assertThat(hex(kernels, q.codes()))
              .isEqualTo((type == QuantType.NF4 ? "77" : "00").repeat(66));
          Tensor back = scope.allocate("back", DType.F32, 131);
          kernels.products().decode(back, q);
          assertThat(TensorValues.of(kernels, back)).containsOnly(0f);
        }
      }
    }
  }
}
