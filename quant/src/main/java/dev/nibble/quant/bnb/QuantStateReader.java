package dev.nibble.quant.bnb;

import dev.nibble.compute.files.JsonError;
import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import dev.nibble.quant.codebook.BlockScales;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads the JSON of a quant state as strictly as bitsandbytes does: no key may be unknown. */
final class QuantStateReader {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();
  private static final List<String> PLAIN = List.of("quant_type", "blocksize", "dtype", "shape");
  private static final List<String> NESTED =
      List.of("nested_blocksize", "nested_dtype", "nested_offset");

  private final String where;
  private final JsonNode json;

  private QuantStateReader(String where, JsonNode json) {
    this.where = where;
    this.json = json;
  }

  /**
   * Reads a state.
   *
   * @param where file and tensor, for errors
   * @param type what the tensor's name says
   */
  static QuantState read(String where, byte[] bytes, QuantType type) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    JsonNode json;
    try {
      json = JSON.readTree(text);
    } catch (JacksonException e) {
      throw new UnusableWeight(where + " is not JSON: " + JsonError.of(e, text));
    }
    if (!json.isObject()) {
      throw new UnusableWeight(where + " is not a JSON object");
    }
    return new QuantStateReader(where, json).state(type);
  }

  private QuantState state(QuantType type) {
    boolean nested = NESTED.stream().anyMatch(json::has);
    checkKeys(nested);
    if (!text("quant_type").equals(type.written())) {
      throw wrong("quant_type", "\"%s\", as its name says".formatted(type.written()));
    }
    int block = whole("blocksize");
    if (!FourBitFormat.BLOCK_SIZES.contains(block)) {
      throw wrong("blocksize", "one of " + FourBitFormat.BLOCK_SIZES);
    }
    if (nested && whole("nested_blocksize") != BlockScales.NESTED_BLOCK) {
      throw wrong("nested_blocksize", Integer.toString(BlockScales.NESTED_BLOCK));
    }
    if (nested && !text("nested_dtype").equals("float32")) {
      throw wrong("nested_dtype", "\"float32\"");
    }
    long[] shape = shape();
    return new QuantState(
        new FourBitFormat(type, block, nested),
        dtype(),
        shape[0],
        shape[1],
        nested ? Optional.of(offset()) : Optional.empty());
  }

  private void checkKeys(boolean nested) {
    Set<String> unknown = new TreeSet<>(json.propertyNames());
    Set<String> missing = new TreeSet<>(PLAIN);
    if (nested) {
      missing.addAll(NESTED);
    }
    unknown.removeAll(missing);
    missing.removeAll(json.propertyNames());
    if (!unknown.isEmpty() || !missing.isEmpty()) {
      throw new UnusableWeight(
          "%s %s %s; expected %s, and with double quantisation %s"
              .formatted(
                  where,
                  unknown.isEmpty() ? "lacks" : "has unknown",
                  unknown.isEmpty() ? missing : unknown,
                  PLAIN,
                  NESTED));
    }
  }

  private String text(String key) {
    if (!json.get(key).isString()) {
      throw wrong(key, "a string");
    }
    return json.get(key).stringValue();
  }

  private int whole(String key) {
    if (!json.get(key).isInt()) {
      throw wrong(key, "a whole number");
    }
    return json.get(key).intValue();
  }

  private DType dtype() {
    return switch (text("dtype")) {
      case "float32" -> DType.F32;
      case "bfloat16" -> DType.BF16;
      case "float16" -> DType.F16;
      default -> throw wrong("dtype", "\"float32\", \"bfloat16\" or \"float16\"");
    };
  }

  private long[] shape() {
    JsonNode shape = json.get("shape");
    long[] sizes =
        shape.valueStream().mapToLong(d -> d.isIntegralNumber() ? d.asLong(0) : 0).toArray();
    if (!shape.isArray() || sizes.length != 2 || Arrays.stream(sizes).anyMatch(d -> d < 1)) {
      throw wrong("shape", "[outputs, inputs]");
    }
    if (Math.multiplyHigh(sizes[0], sizes[1]) != 0 || sizes[0] * sizes[1] < 0) {
      throw wrong("shape", "fewer than 2^63 weights");
    }
    return sizes;
  }

  private float offset() {
    JsonNode offset = json.get("nested_offset");
    if (!offset.isNumber() || !Float.isFinite((float) offset.doubleValue())) {
      throw wrong("nested_offset", "a number");
    }
    return (float) offset.doubleValue();
  }

  private UnusableWeight wrong(String key, String expected) {
    return new UnusableWeight(
        "%s has %s %s, expected %s"
            .formatted(where, key, json.get(key).toString().toLowerCase(Locale.ROOT), expected));
  }
}
