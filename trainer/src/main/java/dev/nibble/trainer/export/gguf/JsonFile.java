package dev.nibble.trainer.export.gguf;

import dev.nibble.quant.ConfigSection;
import dev.nibble.trainer.export.ExportException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** One object of a JSON file; every error names the file, the key and what is supported. */
record JsonFile(Path file, String prefix, JsonNode node) implements ConfigSection {
  /** Characters of a wrong value in an error. */
  private static final int SHOWN = 300;

  static JsonFile read(Path file) {
    JsonNode node;
    try {
      node = JsonMapper.shared().readTree(Files.readString(file));
    } catch (IOException e) {
      throw new ExportException("cannot read %s: %s".formatted(file, e), e);
    } catch (JacksonException e) {
      throw new ExportException(
          "%s is not valid JSON: %s".formatted(file, e.getOriginalMessage()), e);
    }
    if (!node.isObject()) {
      throw new ExportException(file + " does not hold a JSON object");
    }
    return new JsonFile(file, "", node);
  }

  static Optional<JsonFile> readIfPresent(Path file) {
    return Files.isRegularFile(file) ? Optional.of(read(file)) : Optional.empty();
  }

  @Override
  public boolean has(String key) {
    return node.hasNonNull(key);
  }

  /** What lies under a key; a missing node when there is nothing. */
  JsonNode get(String key) {
    return node.path(key);
  }

  @Override
  public Optional<JsonFile> object(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    if (!get(key).isObject()) {
      throw wrong(key, "an object");
    }
    return Optional.of(new JsonFile(file, prefix + key + ".", get(key)));
  }

  int positive(String key, int fallback) {
    return has(key) ? positive(key) : fallback;
  }

  @Override
  public int positive(String key) {
    if (!get(key).isInt() || get(key).asInt() < 1) {
      throw wrong(key, "a positive integer");
    }
    return get(key).asInt();
  }

  double number(String key, double fallback) {
    return has(key) ? number(key) : fallback;
  }

  double number(String key) {
    if (!get(key).isNumber() || !(get(key).asDouble() > 0)) {
      throw wrong(key, "a positive number");
    }
    return get(key).asDouble();
  }

  float[] numbers(String key, int count) {
    JsonNode list = get(key);
    float[] values = new float[list.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) list.get(i).asDouble(Double.NaN);
      if (!(values[i] > 0)) {
        throw wrong(key, "positive numbers");
      }
    }
    if (values.length != count) {
      throw wrong(key, "a list of %d numbers".formatted(count));
    }
    return values;
  }

  @Override
  public boolean flag(String key, boolean fallback) {
    if (!has(key)) {
      return fallback;
    }
    if (!get(key).isBoolean()) {
      throw wrong(key, "true or false");
    }
    return get(key).asBoolean();
  }

  @Override
  public String text(String key, String fallback) {
    if (!has(key)) {
      return fallback;
    }
    if (!get(key).isString()) {
      throw wrong(key, "a string");
    }
    return get(key).asString();
  }

  @Override
  public ExportException wrong(String key, String supported) {
    String value = node.has(key) ? node.get(key).toString() : "missing";
    if (value.length() > SHOWN) {
      value = value.substring(0, SHOWN) + "...";
    }
    return new ExportException(
        "%s: \"%s%s\" is %s; supported: %s".formatted(file, prefix, key, value, supported));
  }
}
