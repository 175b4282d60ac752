package dev.nibble.compute.safetensors;

import dev.nibble.compute.files.JsonError;
import dev.nibble.compute.safetensors.Header.Entry;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * A reader of headers that trusts no number in them: each is compared with the size of the file
 * before anything is allocated.
 */
final class HeaderReader {
  /** The most bytes of a header that the format allows. */
  static final long MAX_BYTES = 100_000_000;

  private static final JsonFactory JSON = new JsonFactory();
  private static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path file;
  private final long dataBytes;
  private final SequencedMap<String, Entry> entries = new LinkedHashMap<>();
  private @Nullable Map<String, String> metadata;

  private HeaderReader(Path file, long dataBytes) {
    this.file = file;
    this.dataBytes = dataBytes;
  }

  /**
   * The header of a file.
   *
   * @param file its name, for errors
   * @param bytes all of it
   */
  static Header read(Path file, MemorySegment bytes) {
    long size = bytes.byteSize();
    if (size < 8) {
      throw malformed(
          file, "has %d bytes, but the length of its header alone takes 8".formatted(size));
    }
    long length = bytes.get(LENGTH, 0);
    if (length < 0 || length > size - 8) {
      throw malformed(
          file,
          "says that its header has %s bytes, but only %d follow. It is cut short or not a safetensors file"
              .formatted(Long.toUnsignedString(length), size - 8));
    }
    if (length > MAX_BYTES) {
      throw malformed(
          file, "has a header of %d bytes; at most %d are allowed".formatted(length, MAX_BYTES));
    }
    if (length == 0 || bytes.get(ValueLayout.JAVA_BYTE, 8) != '{') {
      throw malformed(
          file, "has a header that does not begin with '{'. It is not a safetensors file");
    }
    String json;
    try {
      json =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(bytes.asSlice(8, length).asByteBuffer())
              .toString();
    } catch (CharacterCodingException e) {
      throw new MalformedSafetensors("%s has a header that is not UTF-8".formatted(file), e);
    }
    HeaderReader reader = new HeaderReader(file, size - 8 - length);
    reader.parse(json);
    reader.checkLayout();
    Map<String, String> metadata = reader.metadata;
    return new Header(reader.entries, metadata == null ? Map.of() : metadata, 8 + length);
  }

  private void parse(String json) {
    try (JsonParser p = JSON.createParser(ObjectReadContext.empty(), json)) {
      p.nextToken();
      while (p.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = p.currentName();
        JsonToken value = p.nextToken();
        if (name.equals(Header.METADATA)) {
          parseMetadata(p, value);
        } else if (entries.putLast(name, parseEntry(p, name, value)) != null) {
          throw malformed(name, "appears twice in the header");
        }
      }
      if (p.nextToken() != null) {
        throw malformed(file, "has something after the JSON object in its header");
      }
    } catch (JacksonException e) {
      throw new MalformedSafetensors(
          "%s has a header that is not JSON: %s".formatted(file, JsonError.of(e, json)), e);
    }
  }

  private void parseMetadata(JsonParser p, JsonToken value) {
    if (metadata != null) {
      throw malformed(file, "has %s twice in its header".formatted(Header.METADATA));
    }
    if (value != JsonToken.START_OBJECT) {
      throw malformed(
          file, "has %s that is %s, not an object".formatted(Header.METADATA, kind(value)));
    }
    Map<String, String> strings = new LinkedHashMap<>();
    while (p.nextToken() == JsonToken.PROPERTY_NAME) {
      String key = p.currentName();
      JsonToken token = p.nextToken();
      if (token != JsonToken.VALUE_STRING) {
        throw malformed(
            file,
            "has %s with '%s' that is %s; it may hold only strings"
                .formatted(Header.METADATA, shown(key), kind(token)));
      }
      if (strings.put(key, p.getString()) != null) {
        throw malformed(file, "has %s with '%s' twice".formatted(Header.METADATA, shown(key)));
      }
    }
    metadata = strings;
  }

  private Entry parseEntry(JsonParser p, String name, JsonToken value) {
    if (value != JsonToken.START_OBJECT) {
      throw malformed(name, "is %s in the header, not an object".formatted(kind(value)));
    }
    String dtype = null;
    long[] shape = null;
    long[] offsets = null;
    while (p.nextToken() == JsonToken.PROPERTY_NAME) {
      String field = p.currentName();
      JsonToken token = p.nextToken();
      boolean repeated;
      switch (field) {
        case "dtype" -> {
          repeated = dtype != null;
          if (token != JsonToken.VALUE_STRING) {
            throw malformed(name, "has a dtype that is %s, not a string".formatted(kind(token)));
          }
          dtype = p.getString();
        }
        case "shape" -> {
          repeated = shape != null;
          shape = parseSizes(p, token, name, field);
        }
        case "data_offsets" -> {
          repeated = offsets != null;
          offsets = parseSizes(p, token, name, field);
        }
        default -> {
          repeated = false;
          p.skipChildren();
        }
      }
      if (repeated) {
        throw malformed(name, "has %s twice".formatted(field));
      }
    }
    if (dtype == null || shape == null || offsets == null) {
      throw malformed(
          name,
          "lacks %s".formatted(dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets"));
    }
    return entry(name, dtype, shape, offsets);
  }

  private long[] parseSizes(JsonParser p, JsonToken value, String name, String field) {
    if (value != JsonToken.START_ARRAY) {
      throw malformed(name, "has %s that is %s, not an array".formatted(field, kind(value)));
    }
    long[] sizes = new long[8];
    int n = 0;
    for (JsonToken t = p.nextToken(); t != JsonToken.END_ARRAY; t = p.nextToken()) {
      if (t != JsonToken.VALUE_NUMBER_INT) {
        throw malformed(
            name, "has %s with %s; it may hold only whole numbers".formatted(field, kind(t)));
      }
      String digits = p.getString();
      if (digits.startsWith("-")) {
        throw malformed(name, "has %s with the negative number %s".formatted(field, shown(digits)));
      }
      sizes = n == sizes.length ? Arrays.copyOf(sizes, 2 * n) : sizes;
      try {
        sizes[n++] = Long.parseLong(digits);
      } catch (NumberFormatException e) {
        throw malformed(name, "has %s with %s, beyond 2^63-1".formatted(field, shown(digits)));
      }
    }
    return Arrays.copyOf(sizes, n);
  }

  private Entry entry(String name, String dtypeName, long[] dims, long[] offsets) {
    DType dtype =
        Arrays.stream(DType.values())
            .filter(d -> d.name().equals(dtypeName))
            .findFirst()
            .orElseThrow(() ->
                malformed(
                    name,
                    "has dtype %s, which Nibble does not read; it reads %s. Convert the tensor first"
                        .formatted(shown(dtypeName), Arrays.toString(DType.values()))));
    if (offsets.length != 2) {
      throw malformed(name, "has %d data_offsets, not 2".formatted(offsets.length));
    }
    if (offsets[0] > offsets[1]) {
      throw malformed(
          name,
          "has data_offsets that end at %d before they begin at %d"
              .formatted(offsets[1], offsets[0]));
    }
    Shape shape;
    long bytes;
    try {
      shape = Shape.of(dims);
      bytes = Math.multiplyExact(shape.elements(), (long) dtype.bytes());
    } catch (ArithmeticException e) {
      throw malformed(
          name,
          "has a shape of more than 2^63-1 bytes: %s".formatted(shown(Arrays.toString(dims))));
    }
    if (offsets[1] - offsets[0] != bytes) {
      throw malformed(
          name,
          "has data_offsets [%d, %d] of %d bytes, but %s%s takes %d"
              .formatted(
                  offsets[0],
                  offsets[1],
                  offsets[1] - offsets[0],
                  dtype,
                  shown(shape.toString()),
                  bytes));
    }
    if (offsets[1] > dataBytes) {
      throw malformed(
          name,
          "ends at byte %d of the data, but the file has only %d. It is cut short: copy or download it again"
              .formatted(offsets[1], dataBytes));
    }
    return new Entry(name, dtype, shape, offsets[0], offsets[1]);
  }

  /** Tensors must cover the data without overlap, gap or rest. */
  private void checkLayout() {
    Collection<Entry> all = entries.values();
    List<Entry> sorted =
        all.stream()
            .sorted(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end))
            .toList();
    long at = 0;
    String previous = "the header";
    for (Entry e : sorted) {
      if (e.begin() < at) {
        throw malformed(
            e.name(),
            "begins at byte %d, inside %s, which ends at %d".formatted(e.begin(), previous, at));
      }
      if (e.begin() > at) {
        throw malformed(
            e.name(),
            "begins at byte %d, but %s ends at %d: no gap may be left"
                .formatted(e.begin(), previous, at));
      }
      at = e.end();
      previous = "tensor '" + shown(e.name()) + "'";
    }
    if (at != dataBytes) {
      throw malformed(
          file, "has %d bytes of data, but its last tensor ends at %d".formatted(dataBytes, at));
    }
  }

  private MalformedSafetensors malformed(String tensor, String text) {
    return new MalformedSafetensors("%s: tensor '%s' %s".formatted(file, shown(tensor), text));
  }

  private static MalformedSafetensors malformed(Path file, String text) {
    return new MalformedSafetensors(file + " " + text);
  }

  /** A name from the file, short and without control characters. */
  private static String shown(String s) {
    String clean = s.replaceAll("\\p{Cntrl}", "?");
    return clean.length() <= 120 ? clean : clean.substring(0, 117) + "...";
  }

  private static String kind(JsonToken token) {
    return switch (token) {
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      case VALUE_STRING -> "a string";
      case VALUE_NUMBER_INT -> "a number";
      case VALUE_NUMBER_FLOAT -> "a number with a fraction";
      case VALUE_TRUE, VALUE_FALSE -> "a boolean";
      case VALUE_NULL -> "null";
      default -> token.toString();
    };
  }
}
