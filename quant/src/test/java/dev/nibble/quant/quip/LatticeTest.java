package dev.nibble.quant.quip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.E8Lattice;
import dev.nibble.compute.weights.E8Vectors;
import dev.nibble.compute.weights.Lattice;
import dev.nibble.compute.weights.Rotation;
import dev.nibble.quant.SampleLayer;
import dev.nibble.quant.bnb.Golden;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

  /** Residuals of one bit a weight; half the deviation, which takes the error from 0.09 to 0.03. */
  @Test
  void vectorsAreTheirOwnNearest() {
    Set<List<Float>> seen = new HashSet<>();
    float[] x = new float[9];
    for (int code = 0; code < 256; code++) {
      E8Vectors.vector(code, x, 1);
      assertThat(E8Vectors.nearest(x, 1)).isEqualTo(code);
      List<Float> entries = new ArrayList<>();
      double norm = 0;
      for (int i = 1; i < 9; i++) {
        entries.add(x[i]);
        norm += x[i] * x[i];
      }
      assertThat(norm).isEqualTo(code < 240 ? 2 : 4);
      assertThat(seen.add(entries)).isTrue();
    }
  }

  /** Mean square errors of normal numbers: 0.0900 in the golden file for two bits. */
  @ParameterizedTest
  @CsvSource({"2, 0.0900", "3, 0.0300", "4, 0.0097"})
  void errorsOfNormalNumbers(int bits, double expected) {
    Random random = new Random(2);
    Tensor in = SampleLayer.tensor("in", DType.F32, 64, 512);
    for (long i = 0; i < in.elements(); i++) {
      in.setFloat(i, random.nextGaussian());
    }
    Lattice lattice =
        new Lattice(
            SampleLayer.tensor("codes", DType.I16, 64, 64),
            QuipFormat.residuals(bits).map(dtype -> SampleLayer.tensor("rest", dtype, 64, 64)),
            SampleLayer.tensor("scales", DType.F32, bits > 2 ? 2 : 1));
    lattice.encode(in);
    float[] back = SampleLayer.decoded(lattice);
    double sum = 0;
    for (int i = 0; i < back.length; i++) {
      sum += Math.pow(back[i] - in.getFloat(i), 2);
    }
    assertThat(sum / back.length).isCloseTo(expected, offset(0.03 * expected));
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

  private static Rotation rotation(int n, int[] signs) {
    Tensor t = SampleLayer.tensor("signs", DType.I8, n);
    for (int i = 0; i < n; i++) {
      t.setLong(i, signs[i]);
    }
    return new Rotation(t, Rotation.baseOf(n).orElseThrow());
  }

  @ParameterizedTest
  @Tag("golden")
  @ValueSource(ints = {64, 96, 176, 56, 344})
  void rotationsAreTheGolden(int n) {
    try (SafetensorsFile golden = golden()) {
      String name = "hadamard" + n;
      float[] x = golden.tensor(name + ".x").toFloats();
      float[] y = golden.tensor(name + ".y").toFloats();
      Rotation rotation = rotation(n, golden.tensor(name + ".sign").toInts());
      float[] before = x.clone();
      rotation.rows(x);
      for (int i = 0; i < x.length; i++) {
        assertThat(x[i]).isCloseTo(y[i], offset(2e-6f));
      }
      for (int row = 0; row < x.length / n; row++) {
        rotation.undo(x, row * n);
      }
      for (int i = 0; i < x.length; i++) {
        assertThat(x[i]).isCloseTo(before[i], offset(2e-6f));
      }
    }
  }

  /** Of the sizes that models have, and others. */
  @ParameterizedTest
  @ValueSource(
      ints = {
        1, 2, 256, 704, 2048, 2816, 3584, 4096, 4864, 5632, 8192, 8960, 11008, 13824, 14336, 18944
      })
  void keepsLengthsAndUndoesItself(int n) {
    Random random = new Random(n);
    Rotation rotation = rotation(n, random.ints(n, 0, 2).map(bit -> 2 * bit - 1).toArray());
    float[] x = new float[n + 3];
    double before = 0;
    for (int i = 3; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
      before += x[i] * x[i];
    }
    float[] y = x.clone();
    rotation.apply(y, 3);
    double after = 0;
    for (float value : y) {
      after += value * value;
    }
    assertThat(after).isCloseTo(before, offset(1e-4 * before));
    rotation.undo(y, 3);
    for (int i = 0; i < x.length; i++) {
      assertThat(y[i]).isCloseTo(x[i], offset(2e-5f));
    }
  }

  @Test
  void notAllSizesHaveOne() {
    assertThat(Rotation.baseOf(3)).isEmpty();
    assertThat(Rotation.baseOf(92)).isEmpty();
    assertThat(Rotation.baseOf(12)).isPresent();
  }
}
