package dev.nibble.quant;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class NonFiniteTest {

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16", "F16"})
  void findsEveryPosition(DType dtype) {
    float largest = dtype == DType.F16 ? 65504f : 0x1.fep127f;
    float[] bad = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
    try (Scope scope = Scope.open("test", Memory.host())) {
      for (int n = 0; n < 14; n++) {
        Tensor t = scope.allocate("t", dtype, n);
        for (int i = 0; i < n; i++) {
          t.setFloat(i, i % 2 == 0 ? largest : -largest);
        }
        assertThat(NonFinite.first(t)).isEmpty();
        for (int i = n - 1; i >= 0; i--) {
          t.setFloat(i, bad[i % 3]);
          assertThat(NonFinite.first(t)).hasValue(i);
        }
      }
    }
  }
}
