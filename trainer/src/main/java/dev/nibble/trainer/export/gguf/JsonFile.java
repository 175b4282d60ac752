package dev.nibble.trainer.export.gguf;

import dev.nibble.compute.files.JsonObjects;
import dev.nibble.trainer.export.ExportException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** One object of a JSON file; every error names the file, the key and what is supported. */
record JsonFile(Path file, String prefix, JsonNode node) {
  /** Characters of a wrong value in an error. */
  private static final int SHOWN = 300;

  static JsonFile read(Path file) {
    return new JsonFile(file, "", JsonObjects.read(file, ExportException::new));
  }

  static Optional<JsonFile> readIfPresent(Path file) {
    return Files.isRegularFile(file) ? Optional.of(read(file)) : Optional.empty();
  }

  boolean has(String key) {
    return node.hasNonNull(key);
  }

  /** What lies under a key; a missing node when there is nothing. */
  JsonNode get(String key) {
    return node.path(key);
  }

  Optional<JsonFile> object(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    if (!get(key).isObject()) {
      throw wrong(key, "an object");
    }
    return Optional.of(new JsonFile(file, prefix + key + ".", get(key)));
  }

  boolean flag(String key, boolean fallback) {
    if (!has(key)) {
      return fallback;
    }
    if (!get(key).isBoolean()) {
      throw wrong(key, "true or false");
    }
    return get(key).asBoolean();
  }

  String text(String key, String fallback) {
    if (!has(key)) {
      return fallback;
    }
    if (!get(key).isString()) {
      throw wrong(key, "a string");
    }
    return get(key).asString();
  }

  ExportException wrong(String key, String supported) {
    String value = node.has(key) ? node.get(key).toString() : "missing";
    if (value.length() > SHOWN) {
      value = value.substring(0, SHOWN) + "...";
    }
    return new ExportException(
        "%s: \"%s%s\" is %s; supported: %s".formatted(file, prefix, key, value, supported));
  }
}
