package dev.nibble.trainer.model.config;

import dev.nibble.compute.files.JsonObjects;
import dev.nibble.quant.ConfigSection;
import dev.nibble.trainer.model.ModelException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * One object of a config.json, read key by key; every error names the file, the key and the value.
 */
final class ConfigJson implements ConfigSection {
  private final Path file;
  private final String prefix;
  private final JsonNode node;
  private final Set<String> read = new HashSet<>();

  private ConfigJson(Path file, String prefix, JsonNode node) {
    this.file = file;
    this.prefix = prefix;
    this.node = node;
  }

  static ConfigJson read(Path file) {
    return new ConfigJson(file, "", tree(file));
  }

  /** What is written in {@code file}, or would be. */
  static ConfigJson parse(Path file, String text) {
    return new ConfigJson(file, "", JsonObjects.parse(file, text, ModelException::new));
  }

  /** All that a file holds. */
  static ObjectNode tree(Path file) {
    return JsonObjects.read(file, ModelException::new);
  }

  /** The object under a key, when it is there and not null. */
  @Override
  public Optional<ConfigJson> object(String key) {
    if (!has(key)) {
      return Optional.empty();
    }
    if (!node.get(key).isObject()) {
      throw wrong(key, "an object");
    }
    return Optional.of(new ConfigJson(file, prefix + key + ".", node.get(key)));
  }

  @Override
  public List<String> keys() {
    return List.copyOf(node.propertyNames());
  }

  /** True when the key is there and not null. */
  @Override
  public boolean has(String key) {
    read.add(key);
    return node.hasNonNull(key);
  }

  /** True when the key is there, null or not. */
  boolean contains(String key) {
    read.add(key);
    return node.has(key);
  }

  int positive(String key, int fallback) {
    if (!has(key)) {
      return fallback;
    }
    return positive(key);
  }

  @Override
  public int positive(String key) {
    if (!has(key) || !node.get(key).isInt() || node.get(key).asInt() < 1) {
      throw wrong(key, "a positive integer");
    }
    return node.get(key).asInt();
  }

  @Override
  public int notNegative(String key, int fallback) {
    if (has(key) && (!node.get(key).isInt() || node.get(key).asInt() < 0)) {
      throw wrong(key, "0 or a positive integer");
    }
    return has(key) ? node.get(key).asInt() : fallback;
  }

  double positiveNumber(String key, double fallback) {
    return has(key) ? positiveNumber(key) : fallback;
  }

  /** JSON can write numbers that a double cannot hold. */
  private static boolean isPositive(JsonNode n) {
    return n.isNumber() && n.asDouble() > 0 && Double.isFinite(n.asDouble());
  }

  double positiveNumber(String key) {
    if (!has(key) || !isPositive(node.get(key))) {
      throw wrong(key, "a positive number");
    }
    return node.get(key).asDouble();
  }

  List<Double> positiveNumbers(String key) {
    if (!has(key)
        || !node.get(key).isArray()
        || !node.get(key).valueStream().allMatch(ConfigJson::isPositive)) {
      throw wrong(key, "a list of positive numbers");
    }
    return node.get(key).valueStream().map(JsonNode::asDouble).toList();
  }

  List<Boolean> zerosAndOnes(String key) {
    if (!has(key)
        || !node.get(key).isArray()
        || !node.get(key).valueStream().allMatch(n -> n.isInt() && (n.asInt() & ~1) == 0)) {
      throw wrong(key, "a list of 0 and 1");
    }
    return node.get(key).valueStream().map(n -> n.asInt() == 1).toList();
  }

  /** True for a number that is there and not 0. */
  boolean isNotZero(String key) {
    return has(key) && !(node.get(key).isNumber() && node.get(key).asDouble() == 0);
  }

  @Override
  public boolean flag(String key, boolean fallback) {
    if (!has(key)) {
      return fallback;
    }
    if (!node.get(key).isBoolean()) {
      throw wrong(key, "true or false");
    }
    return node.get(key).asBoolean();
  }

  @Override
  public String text(String key, String fallback) {
    if (!has(key)) {
      return fallback;
    }
    if (!node.get(key).isString()) {
      throw wrong(key, "a string");
    }
    return node.get(key).asString();
  }

  List<String> texts(String key) {
    if (!has(key)
        || !node.get(key).isArray()
        || !node.get(key).valueStream().allMatch(JsonNode::isString)) {
      throw wrong(key, "a list of strings");
    }
    return node.get(key).valueStream().map(JsonNode::asString).toList();
  }

  /** Refuses any other text; a missing key is fine. */
  void requireText(String key, String supported) {
    if (!text(key, supported).equals(supported)) {
      throw wrong(key, supported);
    }
  }

  /** Refuses a key whose value changes the mathematics in a way that is not implemented. */
  void requireNumber(String key, double supported) {
    if (has(key) && (!node.get(key).isNumber() || node.get(key).asDouble() != supported)) {
      throw wrong(key, Double.toString(supported));
    }
  }

  /** Refuses a key that must be absent, null or false. */
  void requireAbsent(String key) {
    if (has(key) && !(node.get(key).isBoolean() && !node.get(key).asBoolean())) {
      throw wrong(key, "no such key");
    }
  }

  /**
   * Refuses keys that nobody has asked for and that have a value other than null, false, 0, 1, an
   * empty list or one of ones.
   */
  void refuseUnread(Set<String> keys) {
    node.properties()
        .forEach(e -> {
          if (keys.contains(e.getKey()) && !read.contains(e.getKey()) && !isNeutral(e.getValue())) {
            throw wrong(e.getKey(), "leaving it out, as this model_type has no such key");
          }
        });
  }

  /** Refuses all keys but these, unless their values are such as {@link #refuseUnread} passes. */
  void refuseOthers(Set<String> known, String supported) {
    node.properties()
        .forEach(e -> {
          if (!known.contains(e.getKey()) && !isNeutral(e.getValue())) {
            throw wrong(e.getKey(), supported);
          }
        });
  }

  private static boolean isNeutral(JsonNode value) {
    if (value.isArray()) {
      return value.valueStream().allMatch(v -> isNeutral(v) && !(v.isNumber() && v.asInt() == 0));
    }
    return value.isNull()
        || (value.isBoolean() && !value.asBoolean())
        || (value.isNumber() && (value.asDouble() == 0 || value.asDouble() == 1))
        || (value.isString() && value.asString().equals(Rope.FULL));
  }

  @Override
  public ModelException wrong(String key, String supported) {
    return new ModelException(
        "%s: \"%s%s\" is %s; supported: %s"
            .formatted(file, prefix, key, contains(key) ? node.get(key) : "missing", supported));
  }
}
