package dev.nibble.compute.weights;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NestedScalesTest {

  @Test
  void theOffsetIsTheMeanAtEveryLength() {
    for (int n : new int[] {1, 7, 8, 31, 32, 33, 511, 512, 513, 2560, 8200, 70_000}) {
      float[] ones = new float[n];
      double sum = 0;
      for (int i = 0; i < n; i++) {
        ones[i] = i % 5;
        sum += ones[i];
      }
      assertThat(NestedScales.offset(ones)).as("%d scales", n).isEqualTo((float) sum / n);
    }
  }

  @Test
  void theOffsetAddsInLanes() {
    float[] scales = new float[96];
    scales[0] = 1 << 24;
    scales[32] = 1;
    scales[64] = 1;
    // Lane by lane 2^24 + 1 + 1 stays 2^24; in another order the ones add up first.
    assertThat(NestedScales.offset(scales)).isEqualTo((1 << 24) / 96f);
    scales[32] = 0;
    scales[33] = 1;
    scales[64] = 0;
    scales[65] = 1;
    assertThat(NestedScales.offset(scales)).isEqualTo(((1 << 24) + 2) / 96f);
  }

  @Test
  void binsCoverTheRange() {
    assertThat(NestedScales.bin(-1)).isZero();
    assertThat(NestedScales.bin(1)).isEqualTo(NestedScales.BINS - 1);
    assertThat(NestedScales.bin(0)).isEqualTo(NestedScales.BINS / 2);
  }

  @Test
  void aBinHasTheNearestCode() {
    float[] codebook = new float[256];
    Random random = new Random(3);
    for (int i = 0; i < 256; i++) {
      codebook[i] = random.nextFloat() * 2 - 1;
    }
    Arrays.sort(codebook);
    byte[] codes = NestedScales.codeOfBin(codebook);
    for (int bin = 0; bin < NestedScales.BINS; bin += 17) {
      float v = bin / 65535f * 2 - 1;
      int nearest = 0;
      for (int i = 1; i < 256; i++) {
        if (Math.abs(v - codebook[i]) < Math.abs(v - codebook[nearest])) {
          nearest = i;
        }
      }
      assertThat(codes[bin] & 0xff).as("bin %d", bin).isEqualTo(nearest);
    }
  }
}
