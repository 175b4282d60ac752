package dev.nibble.trainer.export.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Bytes being put together: GGUF's integers are little-endian, its texts have their length first.
 */
final class LittleEndian {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  LittleEndian u8(int value) {
    bytes.write(value);
    return this;
  }

  LittleEndian u32(long value) {
    for (int shift = 0; shift < 32; shift += 8) {
      bytes.write((int) (value >>> shift));
    }
    return this;
  }

  LittleEndian u64(long value) {
    return u32(value).u32(value >>> 32);
  }

  LittleEndian f32(float value) {
    return u32(Float.floatToRawIntBits(value));
  }

  LittleEndian text(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    return u64(utf8.length).append(utf8);
  }

  LittleEndian append(byte[] value) {
    bytes.writeBytes(value);
    return this;
  }

  int size() {
    return bytes.size();
  }

  byte[] toBytes() {
    return bytes.toByteArray();
  }
}
