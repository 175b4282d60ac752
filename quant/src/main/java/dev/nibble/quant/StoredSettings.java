package dev.nibble.quant;

import dev.nibble.compute.files.JsonObjects;
import dev.nibble.compute.safetensors.StoredTensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * What the files beside a checkpoint's tensors say of how they were quantised, for formats whose
 * tensors do not say all of it: the {@code quantization_config} of config.json, or the whole of
 * AutoGPTQ's quantize_config.json.
 *
 * @param file that says it, for errors
 * @param values an object; empty where no file says anything
 */
public record StoredSettings(Path file, JsonNode values) {
  private static final String CONFIG = "config.json";
  private static final String SECTION = "quantization_config";
  private static final String OF_AUTOGPTQ = "quantize_config.json";

  /**
   * Of the folder that a tensor lies in.
   *
   * @throws UnusableWeight when a file cannot be read
   */
  public static StoredSettings of(StoredTensors checkpoint, String tensor) {
    Path place = Path.of(checkpoint.placeOf(tensor));
    Path config = place.resolveSibling(CONFIG);
    Optional<JsonNode> section = read(config).map(json -> json.get(SECTION));
    if (section.isPresent() && section.get().isObject()) {
      return new StoredSettings(config, section.get());
    }
    Path other = place.resolveSibling(OF_AUTOGPTQ);
    return read(other)
        .map(json -> new StoredSettings(other, json))
        .orElseGet(() -> new StoredSettings(config, JsonMapper.shared().createObjectNode()));
  }

  private static Optional<ObjectNode> read(Path file) {
    return Files.isRegularFile(file)
        ? Optional.of(JsonObjects.read(file, UnusableWeight::new))
        : Optional.empty();
  }

  /** The string under a key. */
  public String text(String key, String fallback) {
    JsonNode value = values.path(key);
    return value.isString() ? value.asString() : fallback;
  }

  /** True or false. */
  public boolean flag(String key, boolean fallback) {
    JsonNode value = values.path(key);
    return value.isBoolean() ? value.asBoolean() : fallback;
  }

  /** A number. */
  public double number(String key, double fallback) {
    JsonNode value = values.path(key);
    return value.isNumber() ? value.asDouble() : fallback;
  }
}
