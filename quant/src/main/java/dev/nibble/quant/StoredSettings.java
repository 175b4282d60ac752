package dev.nibble.quant;

import dev.nibble.compute.files.FileProblem;
import dev.nibble.compute.files.JsonError;
import dev.nibble.compute.safetensors.StoredTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

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

  private static Optional<JsonNode> read(Path file) {
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    String text = "";
    try {
      text = Files.readString(file);
      return Optional.of(JsonMapper.shared().readTree(text));
    } catch (IOException e) {
      throw new UnusableWeight("cannot read %s: %s".formatted(file, FileProblem.of(e)));
    } catch (JacksonException e) {
      throw new UnusableWeight("%s is not valid JSON: %s".formatted(file, JsonError.of(e, text)));
    }
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
