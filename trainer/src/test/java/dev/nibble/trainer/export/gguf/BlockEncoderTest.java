package dev.nibble.trainer.export.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.Tensor;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class BlockEncoderTest {
  private static byte[] encode(GgufType type, float... x) {
    ByteBuffer out = ByteBuffer.allocate((int) type.bytes(x.length)).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(BlockEncoder.encode(type, x, x.length, out)).isEqualTo(-1);
    assertThat(out.hasRemaining()).isFalse();
    return out.array();
  }

  @ParameterizedTest
  @CsvSource({
    "Q8_0, 4d1e81df3d9af856b41270cd2b89e745a2005ebb1977d53390ee4caa0866c3217fdc",
    "Q4_0, 402ee046acf258bd1379df358be046acf268"
  })
  void knownBlocks(GgufType type, String expected) {
    float[] y = new float[32];
    for (int i = 0; i < y.length; i++) {
      y[i] = (37 * i % 101 - 50) / 64f;
    }
    assertThat(HexFormat.of().formatHex(encode(type, y))).isEqualTo(expected);
  }

  /** resources/gguf/make_quants.py wrote the expected bytes. */
  @ParameterizedTest
  @EnumSource(value = GgufType.class, names = "F32", mode = EnumSource.Mode.EXCLUDE)
  void equalsGgufPy(GgufType type) throws URISyntaxException {
    URL file = Objects.requireNonNull(getClass().getResource("/gguf/quants.safetensors"));
    try (SafetensorsFile quants = Safetensors.open(Path.of(file.toURI()))) {
      Tensor expected = quants.tensor(type.name().toLowerCase(Locale.ROOT));
      byte[] bytes = encode(type, quants.tensor("x").toFloats());
      for (int row = 0; row < expected.dim(0); row++) {
        int length = (int) expected.dim(1);
        assertThat(Arrays.copyOfRange(bytes, row * length, (row + 1) * length))
            .as("row %d", row)
            .isEqualTo(bytes(expected.slice(row, row + 1)));
      }
    }
  }

  private static byte[] bytes(Tensor t) {
    byte[] bytes = new byte[(int) t.elements()];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) t.getInt(i);
    }
    return bytes;
  }

  @ParameterizedTest
  @CsvSource({
    "F16, 65520",
    "Q8_0, NaN",
    "Q8_0, -Infinity",
    "Q8_0, 1e9",
    "Q4_0, NaN",
    "Q4_0, Infinity",
    "Q4_0, -1e6"
  })
  void pointsAtWhatATypeCannotHold(GgufType type, float value) {
    float[] x = new float[64];
    Arrays.fill(x, 3);
    x[40] = value;
    ByteBuffer out = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(BlockEncoder.encode(type, x, x.length, out)).isEqualTo(40);
  }

  @Test
  void halvesKeepTheirInfinitiesAndNans() {
    assertThat(encode(GgufType.F16, Float.POSITIVE_INFINITY, Float.NaN, 65504))
        .isEqualTo(new byte[] {0, 0x7c, 0, 0x7e, (byte) 0xff, 0x7b});
  }
}
