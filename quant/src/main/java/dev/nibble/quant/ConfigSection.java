package dev.nibble.quant;

import java.util.List;
import java.util.Optional;

/**
 * An object of a config.json, read key by key. Errors name the file, the key and its value. Keys
 * that are null count as missing.
 */
public interface ConfigSection {

  /** True when the key is there. */
  boolean has(String key);

  /** The keys, in the order of the file. */
  List<String> keys();

  /** The object under a key. */
  Optional<? extends ConfigSection> object(String key);

  /** The object under a key, which must be there. */
  default ConfigSection section(String key) {
    return object(key).orElseThrow(() -> wrong(key, "an object"));
  }

  /** The string under a key. */
  String text(String key, String fallback);

  /** True or false. */
  boolean flag(String key, boolean fallback);

  /** A positive integer, which must be there. */
  int positive(String key);

  /** An integer of 0 or more. */
  int notNegative(String key, int fallback);

  /** The error that a key has a value which is not supported. */
  RuntimeException wrong(String key, String supported);
}
