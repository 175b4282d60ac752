package dev.nibble.compute.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

class HalfTest {

  @Test
  void everyHalfComesBack() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      short half = (short) bits;
      if (!Float.isNaN(Half.fromBf16(half))) {
        assertThat(Half.toBf16(Half.fromBf16(half))).isEqualTo(half);
      }
      if (!Float.isNaN(Half.fromF16(half))) {
        assertThat(Half.toF16(Half.fromF16(half))).isEqualTo(half);
      }
    }
  }

  @Test
  void notANumberStaysNotANumber() {
    float payloadInLowBits = Float.intBitsToFloat(0x7f800001);
    assertThat(Half.fromBf16(Half.toBf16(payloadInLowBits))).isNaN();
    assertThat(Half.fromF16(Half.toF16(Float.NaN))).isNaN();
  }

  /** Halfway between neighbours goes to the even one, a little more or less to the nearer one. */
  @Test
  void roundsToNearestEven() {
    neighbours(
        bits -> Half.fromBf16((short) bits.intValue()), x -> Half.toBf16(x) & 0xffff, 0x7f00);
    neighbours(bits -> Half.fromF16((short) bits.intValue()), x -> Half.toF16(x) & 0xffff, 0x7bff);
  }

  private interface ToBits {
    int bits(float x);
  }

  private static void neighbours(ToDoubleFunction<Integer> value, ToBits rounded, int last) {
    for (int bits = 0; bits < last; bits++) {
      double middle = (value.applyAsDouble(bits) + value.applyAsDouble(bits + 1)) / 2;
      float tie = (float) middle;
      if (tie != middle) {
        continue; // Between two subnormal numbers of float32.
      }
      assertThat(rounded.bits(tie)).isEqualTo(bits + (bits & 1));
      assertThat(rounded.bits(Math.nextUp(tie))).isEqualTo(bits + 1);
      assertThat(rounded.bits(Math.nextDown(tie))).isEqualTo(bits);
    }
  }

  @Test
  void overflowBecomesInfinity() {
    assertThat(Half.fromF16(Half.toF16(65519.99f))).isEqualTo(65504f);
    assertThat(Half.fromF16(Half.toF16(65520f))).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(Half.fromBf16(Half.toBf16(-Float.MAX_VALUE))).isEqualTo(Float.NEGATIVE_INFINITY);
  }
}
