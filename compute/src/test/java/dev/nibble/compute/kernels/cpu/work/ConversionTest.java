package dev.nibble.compute.kernels.cpu.work;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ConversionTest {
  private static final int ALL = 1 << 16;

  /**
   * Each of a 16-bit type's values, zeros, subnormal and infinite ones too, alone and in vectors.
   */
  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void widensEveryValueExactly(DType dtype) {
    try (Scope scope = Scope.open("test", Memory.host());
        Arena arena = Arena.ofConfined()) {
      Tensor all = scope.allocate("all", dtype, ALL);
      for (int bits = 0; bits < ALL; bits++) {
        all.memory().set(VectorMath.SHORT, 2L * bits, (short) bits);
      }
      for (int start : new int[] {0, 1, 5}) {
        MemorySegment floats = arena.allocate(4L * ALL, 64);
        Conversion.widen(all, start, floats, start, ALL - start);
        for (int bits = start; bits < ALL; bits++) {
          float expected =
              dtype == DType.F16 ? Half.fromF16((short) bits) : Half.fromBf16((short) bits);
          float actual = floats.get(VectorMath.FLOAT, 4L * bits);
          if (Float.isNaN(expected)) {
            assertEquals(expected, actual, "of " + Integer.toHexString(bits));
          } else {
            assertEquals(
                Float.floatToRawIntBits(expected),
                Float.floatToRawIntBits(actual),
                "of " + Integer.toHexString(bits));
          }
        }
      }
    }
  }
}
