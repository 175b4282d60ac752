package dev.nibble.trainer.export.gguf;

import dev.nibble.compute.tensor.Half;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A small reader of GGUF files, as strict as llama.cpp's, written from the format's description
 * alone.
 *
 * @param metadata texts, booleans, floats, longs, and lists of them
 */
record GgufFile(Map<String, Object> metadata, Map<String, Stored> tensors) {

  /**
   * A tensor.
   *
   * @param sizes the fastest dimension first, as stored
   */
  record Stored(List<Long> sizes, int type, ByteBuffer bytes) {
    int elements() {
      int n = 1;
      for (long size : sizes) {
        n *= (int) size;
      }
      return n;
    }

    /** Its values as a reader computes them. */
    float[] values() {
      float[] x = new float[elements()];
      for (int i = 0; i < x.length; i++) {
        x[i] =
            switch (type) {
              case 0 -> bytes.getFloat(i * 4);
              case 1 -> Half.fromF16(bytes.getShort(i * 2));
              case 30 -> Half.fromBf16(bytes.getShort(i * 2));
              case 8 -> scale(i / 32 * 34) * bytes.get(i / 32 * 34 + 2 + i % 32);
              case 2 -> scale(i / 32 * 18) * (nibble(i / 32 * 18 + 2, i % 32) - 8);
              default -> throw new IllegalStateException("type " + type);
            };
      }
      return x;
    }

    private float scale(int at) {
      return Half.fromF16(bytes.getShort(at));
    }

    private int nibble(int at, int i) {
      int b = bytes.get(at + i % 16) & 0xff;
      return i < 16 ? b & 15 : b >> 4;
    }
  }

  Stored tensor(String name) {
    return Objects.requireNonNull(tensors.get(name), () -> name + " not in " + tensors.keySet());
  }

  Object value(String key) {
    return Objects.requireNonNull(metadata.get(key), () -> key + " not in " + metadata.keySet());
  }

  static GgufFile read(Path file) {
    try {
      return new Reading(ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN))
          .file();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private record Entry(String name, List<Long> sizes, int type, long offset) {}

  private record Reading(ByteBuffer in) {

    GgufFile file() {
      check(text(4).equals("GGUF"), "magic");
      check(in.getInt() == 3, "version");
      long tensorCount = in.getLong();
      long keyCount = in.getLong();
      Map<String, Object> metadata = new LinkedHashMap<>();
      for (long i = 0; i < keyCount; i++) {
        String key = text();
        check(metadata.put(key, value(in.getInt())) == null, "two of " + key);
      }
      List<Entry> entries = new ArrayList<>();
      for (long i = 0; i < tensorCount; i++) {
        String name = text();
        check(name.getBytes(StandardCharsets.UTF_8).length < 64, name);
        int rank = in.getInt();
        check(rank >= 1 && rank <= 4, name);
        List<Long> sizes = new ArrayList<>();
        for (int d = 0; d < rank; d++) {
          sizes.add(in.getLong());
        }
        entries.add(new Entry(name, sizes, in.getInt(), in.getLong()));
      }
      return new GgufFile(metadata, tensors(entries));
    }

    private Map<String, Stored> tensors(List<Entry> entries) {
      int start = align(in.position());
      Map<String, Stored> tensors = new LinkedHashMap<>();
      long expected = 0;
      for (Entry e : entries) {
        check(e.offset() == expected, "offset of " + e.name());
        int length = bytes(e.type(), new Stored(e.sizes(), e.type(), in).elements());
        ByteBuffer bytes = in.slice((int) (start + e.offset()), length);
        Stored stored = new Stored(e.sizes(), e.type(), bytes.order(ByteOrder.LITTLE_ENDIAN));
        check(tensors.put(e.name(), stored) == null, "two of " + e.name());
        expected += align(length);
      }
      check(start + expected == in.limit(), "size of the file");
      return tensors;
    }

    private static int bytes(int type, int elements) {
      return switch (type) {
        case 0 -> elements * 4;
        case 1, 30 -> elements * 2;
        case 8 -> elements / 32 * 34;
        case 2 -> elements / 32 * 18;
        default -> throw new IllegalStateException("type " + type);
      };
    }

    private static int align(int n) {
      return (n + 31) / 32 * 32;
    }

    private Object value(int type) {
      return switch (type) {
        case 4 -> Integer.toUnsignedLong(in.getInt());
        case 5 -> (long) in.getInt();
        case 6 -> in.getFloat();
        case 7 -> in.get() == 1;
        case 8 -> text();
        case 9 -> {
          int element = in.getInt();
          long n = in.getLong();
          List<Object> list = new ArrayList<>();
          for (long i = 0; i < n; i++) {
            list.add(value(element));
          }
          yield list;
        }
        default -> throw new IllegalStateException("value type " + type);
      };
    }

    private String text() {
      return text(Math.toIntExact(in.getLong()));
    }

    private String text(int length) {
      byte[] bytes = new byte[length];
      in.get(bytes);
      return new String(bytes, StandardCharsets.UTF_8);
    }

    private static void check(boolean holds, String what) {
      if (!holds) {
        throw new IllegalStateException("not a valid GGUF file: " + what);
      }
    }
  }
}
