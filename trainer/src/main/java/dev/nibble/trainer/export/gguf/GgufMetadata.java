package dev.nibble.trainer.export.gguf;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The keys and values of a GGUF file, in the order in which they were put. */
final class GgufMetadata {
  private static final int U32 = 4;
  private static final int I32 = 5;
  private static final int F32 = 6;
  private static final int BOOL = 7;
  private static final int TEXT = 8;
  private static final int ARRAY = 9;

  private final Map<String, byte[]> values = new LinkedHashMap<>();

  GgufMetadata u32(String key, long value) {
    if (value < 0 || value > 0xffff_ffffL) {
      throw new IllegalArgumentException(key + " does not fit 32 bits: " + value);
    }
    return put(key, new LittleEndian().u32(U32).u32(value));
  }

  GgufMetadata f32(String key, double value) {
    return put(key, new LittleEndian().u32(F32).f32((float) value));
  }

  GgufMetadata flag(String key, boolean value) {
    return put(key, new LittleEndian().u32(BOOL).u8(value ? 1 : 0));
  }

  GgufMetadata text(String key, String value) {
    return put(key, new LittleEndian().u32(TEXT).text(value));
  }

  /** Readers refuse an empty array: there must be one text at least. */
  GgufMetadata texts(String key, List<String> array) {
    LittleEndian bytes = array(key, TEXT, array.size());
    array.forEach(bytes::text);
    return put(key, bytes);
  }

  GgufMetadata i32s(String key, int[] array) {
    LittleEndian bytes = array(key, I32, array.length);
    for (int value : array) {
      bytes.u32(value);
    }
    return put(key, bytes);
  }

  GgufMetadata f32s(String key, float[] array) {
    LittleEndian bytes = array(key, F32, array.length);
    for (float value : array) {
      bytes.f32(value);
    }
    return put(key, bytes);
  }

  private static LittleEndian array(String key, int type, int size) {
    if (size == 0) {
      throw new IllegalArgumentException(key + " is an empty array");
    }
    return new LittleEndian().u32(ARRAY).u32(type).u64(size);
  }

  private GgufMetadata put(String key, LittleEndian value) {
    if (values.putIfAbsent(key, value.toBytes()) != null) {
      throw new IllegalArgumentException(key + " is there already");
    }
    return this;
  }

  int size() {
    return values.size();
  }

  void writeTo(LittleEndian out) {
    values.forEach((key, value) -> out.text(key).append(value));
  }
}
