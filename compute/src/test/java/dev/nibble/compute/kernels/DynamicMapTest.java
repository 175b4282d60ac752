package dev.nibble.compute.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The maps are bitsandbytes' to the bit, and codes are those of the nearest values. */
final class DynamicMapTest {

  static Stream<DynamicMap> maps() {
    return Stream.of(DynamicMap.SIGNED, DynamicMap.UNSIGNED);
  }

  /** The hashes were taken of what its create_dynamic_map gives. */
  @ParameterizedTest
  @CsvSource({
    "true, e732639a65f497b4ad684bb166a4467708255edd5207757de8b8f0c7e1fda89c",
    "false, 305f002cc11278fb769d13b25b9fd0c7c83c8402c40a878fe086f4039fde6398"
  })
  void valuesAreThoseOfBitsandbytes(boolean signed, String hash) throws NoSuchAlgorithmException {
    ByteBuffer bytes = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);
    DynamicMap map = signed ? DynamicMap.SIGNED : DynamicMap.UNSIGNED;
    for (float value : map.codebook()) {
      bytes.putFloat(value);
    }
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes.array());
    assertThat(HexFormat.of().formatHex(digest)).isEqualTo(hash);
  }

  @ParameterizedTest
  @MethodSource("maps")
  void aValueHasItsOwnCode(DynamicMap map) {
    float[] values = map.codebook();
    for (int code = 0; code < 256; code++) {
      assertThat(map.code(values[code])).isEqualTo((byte) code);
      assertThat(map.value((byte) code)).isEqualTo(values[code]);
    }
  }

  /** Midpoints, their neighbours, and numbers of all magnitudes. */
  @ParameterizedTest
  @MethodSource("maps")
  void theCodeIsThatOfTheNearestValue(DynamicMap map) {
    float[] values = map.codebook();
    for (int i = 0; i < 255; i++) {
      float middle = (values[i] + values[i + 1]) * 0.5f;
      for (float u : new float[] {Math.nextDown(middle), middle, Math.nextUp(middle)}) {
        assertNearest(map, values, u);
      }
    }
    Random random = new Random(7);
    for (int i = 0; i < 20_000; i++) {
      float u = (float) Math.pow(10, -9 * random.nextDouble());
      assertNearest(map, values, u);
      if (map == DynamicMap.SIGNED) {
        assertNearest(map, values, -u);
      }
    }
  }

  private static void assertNearest(DynamicMap map, float[] values, float u) {
    int code = map.code(u) & 0xff;
    assertThat(code).as("code of %s", u).isEqualTo(ReferenceOptimizerKernels.nearest(u, values));
    if (values[code] != 0 && u > values[0]) {
      double off = Math.abs((double) u - values[code]);
      int nearest = nearestInFloat64(values, u);
      // Where a midpoint was rounded, or a negative number may not be 0, the second nearest may
      // come.
      double slack = values[nearest] == 0 ? Double.POSITIVE_INFINITY : 2.5e-7 * Math.abs(u);
      assertThat(off).isLessThanOrEqualTo(Math.abs((double) u - values[nearest]) + slack);
    }
  }

  private static int nearestInFloat64(float[] values, float u) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (Math.abs((double) u - values[i]) < Math.abs((double) u - values[best])) {
        best = i;
      }
    }
    return best;
  }

  @Test
  void zeroAndTheEnds() {
    assertThat(DynamicMap.SIGNED.code(0) & 0xff).isEqualTo(127);
    assertThat(DynamicMap.SIGNED.code(1) & 0xff).isEqualTo(255);
    assertThat(DynamicMap.SIGNED.code(-1) & 0xff).isZero();
    assertThat(DynamicMap.SIGNED.code(-1e-30f) & 0xff).as("never 0").isEqualTo(126);
    assertThat(DynamicMap.SIGNED.code(1e-30f) & 0xff).isEqualTo(127);
    assertThat(DynamicMap.UNSIGNED.code(0) & 0xff).isZero();
    assertThat(DynamicMap.UNSIGNED.code(1) & 0xff).isEqualTo(255);
  }
}
