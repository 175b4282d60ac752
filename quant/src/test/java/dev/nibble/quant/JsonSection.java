package dev.nibble.quant;

import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** An object of a config.json. */
public record JsonSection(JsonNode node) implements ConfigSection {
  @Override
  public boolean has(String key) {
    return node.hasNonNull(key);
  }

  @Override
  public List<String> keys() {
    return List.copyOf(node.propertyNames());
  }

  @Override
  public Optional<JsonSection> object(String key) {
    return has(key) ? Optional.of(new JsonSection(node.get(key))) : Optional.empty();
  }

  @Override
  public String text(String key, String fallback) {
    return has(key) ? node.get(key).asString() : fallback;
  }

  @Override
  public boolean flag(String key, boolean fallback) {
    return has(key) ? node.get(key).asBoolean() : fallback;
  }

  @Override
  public int positive(String key) {
    return node.get(key).asInt();
  }

  @Override
  public int notNegative(String key, int fallback) {
    return has(key) ? node.get(key).asInt() : fallback;
  }

  @Override
  public RuntimeException wrong(String key, String supported) {
    return new IllegalStateException(
        "\"%s\" is %s; supported: %s".formatted(key, node.get(key), supported));
  }
}
