package dev.nibble.compute.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.SampleMatrices;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook.Scales;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * 67 weights ((37 i mod 101) - 50) / 64 in blocks of 64, with the bytes that the rule gives when it
 * is worked out by hand.
 */
final class CodebookTest {
  private static final float[] NF4 = SampleMatrices.nf4();
  private static final float[] FP4 = SampleMatrices.fp4();

  private final Scope scope = Scope.open("test", Memory.host());

  @AfterEach
  void close() {
    scope.close();
  }

  private Tensor weights() {
    Tensor in = scope.allocate("in", DType.BF16, 67);
    for (int i = 0; i < 67; i++) {
      in.setFloat(i, (37 * i % 101 - 50) / 64.0);
    }
    return in;
  }

  private Codebook encoded(float... values) {
    int bits = Integer.numberOfTrailingZeros(values.length);
    Codebook out =
        new Codebook(
            scope.allocate("codes", DType.U8, Math.ceilDiv(67 * bits, 8)),
            scope.allocate("codebook", DType.F32, values.length).put(values),
            new Scales.Plain(scope.allocate("absmax", DType.F32, 2)),
            1,
            67,
            64);
    out.codes().memory().fill((byte) 0xff);
    out.encode(weights());
    return out;
  }

  private static String hex(Tensor codes) {
    byte[] bytes = new byte[Math.toIntExact(codes.elements())];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) codes.getInt(i);
    }
    return HexFormat.of().formatHex(bytes);
  }

  @Test
  void nf4() {
    Codebook made = encoded(NF4);
    assertThat(((Scales.Plain) made.scales()).absmax().toFloats()).containsExactly(0.78125f, 0.5f);
    assertThat(hex(made.codes()))
        .isEqualTo("04c16e29f3b05d17e29f3c05d18e2af4c16e18e3b05d17e29f3b05d18e2af4c15f07");
  }

  @Test
  void fp4() {
    assertThat(hex(encoded(FP4).codes()))
        .isEqualTo("bf5a92a63c4be5a02d63c4be2a12d73f5a92a63d4bf5a92d63c4be5a12d73c5be3b0");
  }

  /** One bit a weight: its sign, the first in the highest bit; 0 takes the lower value. */
  @Test
  void oneBitIsTheSign() {
    String signs = hex(encoded(-1, 1).codes());
    StringBuilder expected = new StringBuilder();
    Tensor in = weights();
    for (int i = 0; i < 72; i++) {
      expected.append(i < 67 && in.getFloat(i) > 0 ? 1 : 0);
    }
    byte[] bytes = HexFormat.of().parseHex(signs);
    StringBuilder got = new StringBuilder();
    for (byte b : bytes) {
      got.append(Integer.toBinaryString((b & 0xff) | 0x100).substring(1));
    }
    assertThat(got).hasToString(expected.toString());
  }

  /** Three bits straddle bytes: the same stream of bits that the codes make one after another. */
  @Test
  void threeBitsAreOneStream() {
    float[] values = {-1, -0.51f, -0.23f, 0, 0.21f, 0.42f, 0.71f, 1};
    Codebook made = encoded(values);
    Tensor in = weights();
    float[] scales = {0.78125f, 0.5f};
    StringBuilder expected = new StringBuilder();
    for (int i = 0; i < 67; i++) {
      int nearest = 0;
      for (int c = 1; c < 8; c++) {
        float x = in.getFloat(i) / scales[i / 64];
        nearest = Math.abs(values[c] - x) < Math.abs(values[nearest] - x) ? c : nearest;
      }
      expected.append(Integer.toBinaryString(nearest | 8).substring(1));
    }
    expected.append("0110110"); // two more codes of 0, and a bit
    StringBuilder got = new StringBuilder();
    for (byte b : HexFormat.of().parseHex(hex(made.codes()))) {
      got.append(Integer.toBinaryString((b & 0xff) | 0x100).substring(1));
    }
    assertThat(got).hasToString(expected.toString());
  }

  /** Any stretch decodes to what the whole does, in every width of codes. */
  @Test
  void decodesAnyStretch() {
    for (float[] values :
        new float[][] {{-1, 1}, {-1, -0.25f, 0.25f, 1}, evenly(8), NF4, evenly(256)}) {
      Codebook made = encoded(values);
      float[] whole = decoded(made, 0, 67);
      Tensor in = weights();
      float[] scales = {0.78125f, 0.5f};
      for (int i = 0; i < 67; i++) {
        float largestStep = values.length == 2 ? 2 : 1;
        assertThat(Math.abs(whole[i] - in.getFloat(i)))
            .isLessThanOrEqualTo(largestStep * scales[i / 64]);
      }
      for (int from : new int[] {0, 1, 5, 63, 64, 66}) {
        float[] part = decoded(made, from, 67 - from);
        for (int i = from; i < 67; i++) {
          assertThat(part[i - from]).isEqualTo(whole[i]);
        }
      }
    }
  }

  private static float[] evenly(int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = i * 2f / (n - 1) - 1;
    }
    return values;
  }

  private static float[] decoded(FrozenMatrix matrix, int from, int n) {
    float[] values = new float[n];
    matrix.decode(from, n, MemorySegment.ofArray(values));
    return values;
  }

  @Test
  void refusesPartsThatDoNotFit() {
    Tensor codes = scope.allocate("codes", DType.U8, 34);
    Tensor absmax = scope.allocate("absmax", DType.F32, 2);
    Tensor sixteen = scope.allocate("codebook", DType.F32, 16);
    assertThatThrownBy(() -> new Codebook(codes, sixteen, new Scales.Plain(absmax), 1, 69, 64))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("codes U8[34] on host: expected U8 with 35 elements");
    assertThatThrownBy(() -> new Codebook(codes, sixteen, new Scales.Plain(absmax), 1, 67, 16))
        .hasMessageContaining("absmax F32[2] on host: expected F32 with 5 elements");
    Tensor three = scope.allocate("codebook", DType.F32, 3);
    assertThatThrownBy(() -> new Codebook(codes, three, new Scales.Plain(absmax), 1, 67, 64))
        .hasMessageContaining("expected as many values as codes of 1 to 8 bits have");
  }
}
