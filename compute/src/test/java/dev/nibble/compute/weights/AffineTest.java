package dev.nibble.compute.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;
import static org.assertj.core.data.Percentage.withPercentage;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class AffineTest {
  private final Scope scope = Scope.open("test", Memory.host());

  @AfterEach
  void close() {
    scope.close();
  }

  private Affine allocate(int rows, int cols, int group) {
    return Affine.ofInt8(
        scope.allocate("codes", DType.I8, rows, cols),
        scope.allocate("scales", DType.F32, rows, cols / group),
        scope.allocate("zeros", DType.I8, rows, cols / group));
  }

  private static Tensor numbers(Numbers numbers) {
    return ((Numbers.Plain) numbers).values();
  }

  private static float[] decoded(FrozenMatrix matrix) {
    float[] values = new float[Math.toIntExact(matrix.elements())];
    matrix.decode(0, values.length, MemorySegment.ofArray(values));
    return values;
  }

  /**
   * Two rows of two groups of 8: ((37 i mod 101) - 50) / 64, a group of zeros, and one shifted up.
   * The expected values are NumPy's, from the equations in float32.
   */
  @Test
  void numpyGivesTheSame() {
    Tensor in = scope.allocate("in", DType.F32, 2, 16);
    for (int i = 0; i < 32; i++) {
      float x = (37 * i % 101 - 50) / 64f;
      in.setFloat(i, i / 8 == 2 ? 0 : i / 8 == 3 ? x + 0.5f : x);
    }
    Affine made = allocate(2, 16, 8);
    made.encode(in);
    assertThat(made.codes().toInts())
        .containsExactly(
            -128, -15, 97, -97, 15, 127, -67, 45, 127, -52, 52, -128, -24, 80, -100, 4, //
            -128, -128, -128, -128, -128, -128, -128, -128, 66, -128, -16, 97, -98, 15, 127, -67);
    assertThat(numbers(made.zeros()).toInts()).containsExactly(24, 4, -128, -122);
    assertThat(bits(numbers(made.scales()).toFloats()))
        .containsExactly(0x3ba8a8a9, 0x3bb6b6b7, 0x3f800000, 0x3ba8a8a9);
    assertThat(bits(decoded(made)))
        .containsExactly(
            0xbf484849,
            0xbe4d8d8e,
            0x3ec06061,
            0xbf1f6f70,
            0xbd3dbdbe,
            0x3f07b7b8,
            0xbeefcfd0,
            0x3ddd5d5e,
            0x3f2f9394,
            0xbe9fdfe0,
            0x3e890909,
            0xbf3c6c6d,
            0xbe1fdfe0,
            0x3ed8f8f9,
            0xbf147475,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0x3f77b7b8,
            0xbcfcfcfe,
            0x3f0babac,
            0x3f904849,
            0x3dfcfcfe,
            0x3f348485,
            0x3fa40c0c,
            0x3e90f0f1);
  }

  private static int[] bits(float[] values) {
    return IntStream.range(0, values.length).map(i -> Float.floatToRawIntBits(values[i])).toArray();
  }

  /** No value is off by more than half a scale, whatever its group's range; 0 stays 0. */
  @Test
  void theErrorIsHalfAScaleAtMost() {
    Random random = new Random(5);
    float[] sizes = {1, 0.02f, 1e-30f, 1e30f, 1e36f};
    float[] shifts = {0, 3, -3, 100};
    for (float size : sizes) {
      for (float shift : shifts) {
        Tensor in = scope.allocate("in", DType.F32, 16, 96);
        for (int i = 0; i < in.elements(); i++) {
          double x = i % 7 == 0 ? 0 : random.nextGaussian() + shift;
          in.setFloat(i, x * size);
        }
        Affine made = allocate(16, 96, 32);
        made.encode(in);
        float[] back = decoded(made);
        for (int i = 0; i < back.length; i++) {
          double allowed = 0.5001 * (double) made.scales().get(i / 32);
          assertThat(Math.abs(back[i] - in.getDouble(i)))
              .as("%s of size %s shifted by %s", in.getFloat(i), size, shift)
              .isLessThanOrEqualTo(allowed);
          if (in.getFloat(i) == 0) {
            assertThat(back[i]).isZero();
          }
        }
      }
    }
  }

  @Test
  void refusesPartsThatDoNotFit() {
    Tensor codes = scope.allocate("codes", DType.I8, 4, 30);
    Tensor zeros = scope.allocate("zeros", DType.I8, 4, 3);
    Tensor scales = scope.allocate("scales", DType.F32, 4, 3);
    assertThat(Affine.ofInt8(codes, scales, zeros).groups().size()).isEqualTo(10);
    Tensor four = scope.allocate("scales", DType.F32, 4, 4);
    assertThatThrownBy(() -> Affine.ofInt8(codes, four, zeros))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("zeros I8[4, 3] on host: expected I8 with 16 elements");
    Tensor zeros4 = scope.allocate("zeros", DType.I8, 4, 4);
    assertThatThrownBy(() -> Affine.ofInt8(codes, four, zeros4))
        .hasMessageContaining("codes I8[4, 30] on host: expected scales of [4, groups], got");
  }

  /** Codes 0 to 7 of three bits, from the lowest bit on: 0b01_000_100, 0b0_101_110_0 and so on. */
  @Test
  void aStreamOfThreeBits() {
    Affine made = stream(3, new Groups(Groups.Axis.INPUTS, 8), 1, 16);
    made.putCodes(new byte[] {4, 0, 5, 6, 2, 7, 1, 3, 7, 7, 7, 7, 7, 7, 7, 7});
    assertThat(made.codes().toInts())
        .containsExactly(0b01_000_100, 0b1_010_110_1, 0b011_001_11, 255, 255, 255);
    for (int i = 0; i < 8; i++) {
      assertThat(made.code(i)).isEqualTo(new int[] {4, 0, 5, 6, 2, 7, 1, 3}[i]);
    }
  }

  /** Group 1 of four is elements 1, 5, 9, 13 along outputs, and 4 to 7 along inputs. */
  @Test
  void groupsRunAlongEitherAxis() {
    for (Groups.Axis axis : Groups.Axis.values()) {
      Affine made = stream(4, new Groups(axis, 4), 4, 4);
      made.putCodes(new byte[16]);
      made.scales().put(new float[] {1, 10, 100, 1000});
      made.zeros().put(new float[] {-1, -2, -3, -4});
      float[] values = decoded(made);
      for (int i = 0; i < 16; i++) {
        int group = axis == Groups.Axis.INPUTS ? i / 4 : i % 4;
        assertThat(values[i]).isEqualTo((group + 1) * (float) Math.pow(10, group));
      }
    }
  }

  /** With real zero points no value is off by more than half a scale, at any width. */
  @Test
  void aStreamIsOffByHalfAScaleAtMost() {
    Random random = new Random(6);
    for (int bits = 1; bits <= 8; bits++) {
      for (Groups.Axis axis : Groups.Axis.values()) {
        Tensor in = scope.allocate("in", DType.F32, 12, 40);
        for (int i = 0; i < in.elements(); i++) {
          in.setFloat(i, random.nextGaussian() * 0.02 + 1);
        }
        Affine made = stream(bits, new Groups(axis, 16), 12, 40);
        made.encode(in);
        float[] back = decoded(made);
        for (int i = 0; i < back.length; i++) {
          double scale = made.scales().get(made.groups().of(i, made.scales().count()));
          assertThat(Math.abs(back[i] - in.getDouble(i)))
              .as("%d bits, element %d", bits, i)
              .isLessThanOrEqualTo(0.501 * scale);
        }
      }
    }
  }

  private Numbers.Quantized bilevel(DType pairs, int bits, int rows, int each, int together) {
    Numbers.Sharing sharing = new Numbers.Sharing(each, (long) each * together);
    long count = (long) rows * each;
    return new Numbers.Quantized(
        scope.allocate("codes", DType.U8, Affine.bytes(count, bits)),
        count,
        bits,
        scope.allocate("scales", pairs, sharing.pairs(count)),
        scope.allocate("zeros", pairs, sharing.pairs(count)),
        sharing);
  }

  /** Three rows of two numbers; the first two rows share pairs, one for each column. */
  @Test
  void rowsShareTheScalesOfQuantizedNumbers() {
    Numbers.Quantized made = bilevel(DType.F32, 3, 3, 2, 2);
    made.put(new float[] {1, 20, 8, 6, 5, 0});
    assertThat(made.bytes()).isEqualTo(3 + 2 * 4 * 4);
    assertThat(made.scales().toFloats()).containsExactly(1, 2, 5, 1);
    assertThat(made.zeros().toFloats()).containsExactly(-1, -3, -1, -0f);
    assertThat(made.codes().toInts()).containsExactly(0b11_111_000, 0b1, 0);
    for (int g = 0; g < 6; g++) {
      assertThat(made.get(g)).isEqualTo(new float[] {1, 20, 8, 6, 5, 0}[g]);
    }
  }

  /** Numbers that hardly differ would have a zero beyond float16. */
  @Test
  void nearlyEqualNumbersBecomeTheirMiddle() {
    Numbers.Quantized made = bilevel(DType.F16, 3, 4, 1, 4);
    made.put(new float[] {-0.01f, -0.010000001f, -0.01f, -0.01f});
    for (int g = 0; g < 4; g++) {
      assertThat(made.get(g)).isCloseTo(-0.01f, offset(1e-5f));
    }
  }

  private Affine indexed(int bits, int size, int rows, int... index) {
    int count = rows * index.length / size;
    return new Affine(
        scope.allocate("codes", DType.U8, Affine.bytes((long) rows * index.length, bits)),
        new Numbers.Plain(scope.allocate("scales", DType.F32, count)),
        new Numbers.Plain(scope.allocate("zeros", DType.U8, count)),
        rows,
        index.length,
        bits,
        new Groups(Groups.Axis.INPUTS, size),
        Optional.of(scope.allocate("index", DType.I32, index.length).put(index)));
  }

  /**
   * Two outputs of three groups, the inputs 0, 2, 5 in the first, 3 in the second, 1, 4 in the
   * third.
   */
  @Test
  void anIndexNamesTheGroupOfEachInput() {
    Affine made = indexed(4, 2, 2, 0, 2, 0, 1, 2, 0);
    made.putCodes(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    made.scales().put(new float[] {1, 10, 100, 1000, 10_000, 100_000});
    made.zeros().put(new float[] {1, 2, 3, 4, 5, 6});
    assertThat(decoded(made))
        .containsExactly(0, -100, 2, 20, 200, 5, 3000, 200_000, 5000, 50_000, 500_000, 8000);
  }

  /** With whole zero points 0 is in the range and stays 0; a group without inputs does no harm. */
  @Test
  void encodesByAnIndex() {
    Affine made = indexed(4, 2, 1, 0, 2, 0, 2, 2, 0);
    made.encode(scope.allocate("in", DType.F32, 6).put(1.5f, -0.7f, 15, 0, 0.8f, 7));
    assertThat(made.scales().get(0)).isEqualTo(1);
    assertThat(made.scales().get(1)).isEqualTo(1);
    assertThat(numbers(made.zeros()).toInts()).containsExactly(0, 0, 7);
    assertThat(made.scales().get(2)).isCloseTo(0.1f, withPercentage(0.001));
    assertThat(IntStream.range(0, 6).map(made::code)).containsExactly(2, 0, 15, 7, 15, 7);
    assertThat(decoded(made)[3]).isZero();
  }

  @Test
  void refusesAnIndexThatDoesNotFit() {
    Affine good = indexed(4, 2, 1, 0, 0, 1, 1);
    assertThat(good.bytes()).isEqualTo(2 + 2 * 4 + 2 + 4 * 4);
    for (Groups groups :
        new Groups[] {new Groups(Groups.Axis.OUTPUTS, 2), new Groups(Groups.Axis.INPUTS, 4)}) {
      assertThatThrownBy(() ->
              new Affine(good.codes(), good.scales(), good.zeros(), 1, 4, 4, groups, good.index()))
          .isInstanceOf(IllegalArgumentException.class);
    }
    Optional<Tensor> three = Optional.of(scope.allocate("index", DType.I32, 3));
    assertThatThrownBy(() ->
            new Affine(good.codes(), good.scales(), good.zeros(), 1, 4, 4, good.groups(), three))
        .hasMessageContaining("index I32[3] on host: expected I32 with 4 elements");
  }

  private Affine stream(int bits, Groups groups, int rows, int cols) {
    long count = groups.count((long) rows * cols);
    return new Affine(
        scope.allocate("codes", DType.U8, Affine.bytes((long) rows * cols, bits)),
        new Numbers.Plain(scope.allocate("scales", DType.F32, count)),
        new Numbers.Plain(scope.allocate("zeros", DType.F32, count)),
        rows,
        cols,
        bits,
        groups);
  }
}
