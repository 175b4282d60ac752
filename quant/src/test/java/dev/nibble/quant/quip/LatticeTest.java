package dev.nibble.quant.quip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.bnb.Golden;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LatticeTest {

  private static SafetensorsFile golden() {
    return Safetensors.open(Golden.ldlq("ldlq.safetensors"));
  }

  @Test
  @Tag("golden")
  void rowsAndPointsAreTheGolden() {
    try (SafetensorsFile golden = golden()) {
      int[] table = golden.tensor("e8p.table2").toInts();
      for (int i = 0; i < table.length; i++) {
        assertThat(E8Lattice.doubled(i / 8)[i % 8]).isEqualTo((byte) table[i]);
      }
      int[] codes = golden.tensor("e8p.codes_check").toInts();
      Tensor points = golden.tensor("e8p.points_check");
      float[] point = new float[8];
      for (int c = 0; c < codes.length; c++) {
        E8Lattice.point(codes[c], point, 0);
        for (int i = 0; i < 8; i++) {
          assertThat(point[i]).isEqualTo(points.getFloat(8L * c + i));
        }
      }
    }
  }

  @Test
  @Tag("golden")
  void findsTheNearest() {
    try (SafetensorsFile golden = golden()) {
      float[] x = golden.tensor("e8p.x").toFloats();
      int[] codes = golden.tensor("e8p.code").toInts();
      float[] squares = golden.tensor("e8p.sqdist").toFloats();
      int different = 0;
      float[] point = new float[8];
      for (int v = 0; v < codes.length; v++) {
        int code = E8Lattice.nearest(x, 8 * v);
        different += code == codes[v] ? 0 : 1;
        E8Lattice.point(code, point, 0);
        double sum = 0;
        for (int i = 0; i < 8; i++) {
          sum += Math.pow(x[8 * v + i] - point[i], 2);
        }
        assertThat(sum).isCloseTo(squares[v], offset(1e-5 * (1 + squares[v])));
      }
      assertThat(different).isLessThan(3);
    }
  }

  @Test
  void allCodesAreDifferentPointsAndTheirOwnNearest() {
    Set<Integer> seen = new HashSet<>();
    float[] point = new float[8];
    for (int code = 0; code < 1 << 16; code++) {
      E8Lattice.point(code, point, 0);
      int hash = 0;
      for (float entry : point) {
        hash = hash * 29 + (int) (4 * entry + 11);
      }
      seen.add(hash);
      if (code % 97 == 0) {
        assertThat(E8Lattice.nearest(point, 0)).isEqualTo(code);
      }
    }
    assertThat(seen.size()).isGreaterThan(65000);
  }

  @ParameterizedTest
  @Tag("golden")
  @ValueSource(ints = {64, 96, 176, 56, 344})
  void transformsAreTheGolden(int n) {
    try (SafetensorsFile golden = golden()) {
      String name = "hadamard" + n;
      float[] x = golden.tensor(name + ".x").toFloats();
      float[] y = golden.tensor(name + ".y").toFloats();
      int[] sign = golden.tensor(name + ".sign").toInts();
      HadamardTransform transform = HadamardTransform.of(n).orElseThrow();
      assertThat(transform.size()).isEqualTo(n);
      for (int i = 0; i < x.length; i++) {
        x[i] *= sign[i % n];
      }
      float[] before = x.clone();
      for (int row = 0; row < 3; row++) {
        transform.apply(x, row * n);
      }
      for (int i = 0; i < x.length; i++) {
        assertThat(x[i]).isCloseTo(y[i], offset(2e-6f));
      }
      for (int row = 0; row < 3; row++) {
        transform.undo(x, row * n);
      }
      for (int i = 0; i < x.length; i++) {
        assertThat(x[i]).isCloseTo(before[i], offset(2e-6f));
      }
    }
  }

  /** Of the sizes that models have, and others. */
  @ParameterizedTest
  @ValueSource(
      ints = {1, 2, 256, 704, 2048, 2816, 3584, 4096, 4864, 5632, 8192, 8960, 11008, 13824, 14336, 18944})
  void keepsLengthsAndUndoesItself(int n) {
    HadamardTransform transform = HadamardTransform.of(n).orElseThrow();
    Random random = new Random(n);
    float[] x = new float[n + 3];
    double before = 0;
    for (int i = 3; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
      before += x[i] * x[i];
    }
    float[] y = x.clone();
    transform.apply(y, 3);
    double after = 0;
    for (float value : y) {
      after += value * value;
    }
    assertThat(after).isCloseTo(before, offset(1e-4 * before));
    transform.undo(y, 3);
    for (int i = 0; i < x.length; i++) {
      assertThat(y[i]).isCloseTo(x[i], offset(2e-5f));
    }
  }

  @Test
  void notAllSizesHaveOne() {
    assertThat(HadamardTransform.of(3)).isEmpty();
    assertThat(HadamardTransform.of(92)).isEmpty();
    assertThat(HadamardTransform.of(12)).isPresent();
  }
}
