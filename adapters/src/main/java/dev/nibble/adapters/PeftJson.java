package dev.nibble.adapters;

import dev.nibble.compute.files.FolderLinks;
import dev.nibble.compute.files.JsonObjects;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;

/**
 * An adapter_config.json being read: the values of its keys. What is wrong or unsupported in it
 * becomes one error.
 */
final class PeftJson {
  /** Keys of every method that say nothing about the mathematics of the adapter. */
  private static final Set<String> INFORMATION =
      Set.of(
          "auto_mapping",
          "base_model_name_or_path",
          "inference_mode",
          "peft_type",
          "peft_version",
          "revision",
          "task_type");

  /** Keys of every method that are read. */
  private static final Set<String> COMMON = Set.of("modules_to_save", "target_modules");

  /** Keys of every method whose effect Nibble lacks. */
  private static final Set<String> UNSUPPORTED = Set.of("fan_in_fan_out");

  private final Path file;
  private final JsonNode json;
  private final List<String> problems = new ArrayList<>();
  private final List<String> ignored = new ArrayList<>();
  private PeftExtras extras = PeftExtras.NONE;

  private PeftJson(Path file, JsonNode json) {
    this.file = file;
    this.json = json;
  }

  static PeftJson open(Path folder) {
    Path file = folder.resolve(PeftConfig.FILE);
    if (!Files.isRegularFile(file)) {
      throw new AdapterException(
          "%s is not a PEFT adapter: it has no %s".formatted(folder, PeftConfig.FILE));
    }
    FolderLinks.check(folder);
    return new PeftJson(file, JsonObjects.read(file, AdapterException::new));
  }

  /** The value of a key that is text; else the empty string. */
  String text(String key) {
    return json.path(key).asString("");
  }

  /** The value of a key, whatever it is. */
  JsonNode node(String key) {
    return json.path(key);
  }

  /**
   * What was read, once all keys have been.
   *
   * @throws AdapterException naming everything that is wrong
   */
  <T> T build(Supplier<T> spec) {
    T built;
    try {
      built = spec.get();
    } catch (AdapterException e) {
      throwProblems();
      throw new AdapterException(file + ": " + e.getMessage(), e);
    }
    throwProblems();
    return built;
  }

  private void throwProblems() {
    if (!problems.isEmpty()) {
      throw allProblems();
    }
  }

  private AdapterException allProblems() {
    return new AdapterException(
        "%s asks for what is not supported:%n  %s"
            .formatted(file, String.join(System.lineSeparator() + "  ", problems)));
  }

  /** The error of a key without which the others say nothing. */
  AdapterException unsupported(String key, String supported) {
    wrong(key, supported);
    return allProblems();
  }

  /**
   * Finds the keys that ask for something else than those that are read. Those that PEFT's class of
   * the method does not have are left out, as PEFT does.
   *
   * @param read keys of the method
   * @param unsupported keys of the method whose effect Nibble lacks
   * @param information further keys of the method that may have any value
   */
  void findUnsupported(Set<String> read, Set<String> unsupported, Set<String> information) {
    for (Map.Entry<String, JsonNode> e : json.properties()) {
      String key = e.getKey();
      boolean harmless =
          INFORMATION.contains(key)
              || COMMON.contains(key)
              || read.contains(key)
              || information.contains(key)
              || isNeutral(e.getValue());
      if (unsupported.contains(key) || UNSUPPORTED.contains(key)) {
        if (!harmless) {
          wrong(key, "leaving it out");
        }
      } else if (!harmless) {
        ignored.add(key);
      }
    }
  }

  /** Reads what trained beside the adapter; {@code biases}: the values that the key may have. */
  void readExtras(String... biases) {
    extras = PeftExtras.read(this, List.of(biases));
  }

  /** What trained beside the adapter, once it was read. */
  PeftExtras extras() {
    return extras;
  }

  /** The keys that say something and were left out. */
  List<String> ignored() {
    return ignored;
  }

  private static boolean isNeutral(JsonNode value) {
    return value.isNull()
        || (value.isBoolean() && !value.asBoolean())
        || (value.isContainer() && value.isEmpty())
        || (value.isString() && value.asString().equals("none"));
  }

  /**
   * The target modules.
   *
   * @param unsaid what is adapted when the file does not say
   */
  TargetModules targets(ModuleChoice unsaid) {
    List<String> layersPattern = names("layers_pattern", "null, a name or a list of names");
    List<Integer> layers = layers();
    Optional<ModuleChoice> excluded = choice("exclude_modules");
    ModuleChoice chosen = choice("target_modules").orElse(unsaid);
    return new TargetModules(
        chosen,
        excluded,
        layers.isEmpty()
            ? Optional.empty()
            : Optional.of(new TargetModules.Layers(layers, layersPattern)));
  }

  /** The modules that train as a whole. */
  List<String> modulesToSave() {
    return names("modules_to_save", "null or a list of module names");
  }

  /** A choice of modules; empty when there is none. */
  Optional<ModuleChoice> choice(String key) {
    JsonNode value = json.path(key);
    if (isAbsent(value) || (value.isArray() && value.isEmpty())) {
      return Optional.empty();
    }
    if (value.isString() && value.asString().equalsIgnoreCase("all-linear")) {
      return Optional.of(new ModuleChoice.AllLinear());
    }
    if (value.isString()) {
      try {
        return Optional.of(new ModuleChoice.Matching(value.asString()));
      } catch (AdapterException e) {
        problems.add("\"%s\": %s".formatted(key, e.getMessage()));
        return Optional.empty();
      }
    }
    List<String> names =
        names(key, "a list of module names, a regular expression or \"all-linear\"");
    return names.isEmpty() ? Optional.empty() : Optional.of(new ModuleChoice.Named(names));
  }

  private List<Integer> layers() {
    JsonNode value = json.path("layers_to_transform");
    if (isAbsent(value)) {
      return List.of();
    }
    if (value.isInt()) {
      return List.of(value.asInt());
    }
    if (!value.isArray() || !value.valueStream().allMatch(JsonNode::isInt)) {
      wrong("layers_to_transform", "null, a number or a list of numbers");
      return List.of();
    }
    return value.valueStream().map(JsonNode::asInt).toList();
  }

  private List<String> names(String key, String supported) {
    JsonNode value = json.path(key);
    if (isAbsent(value)) {
      return List.of();
    }
    if (value.isString()) {
      return List.of(value.asString());
    }
    if (!value.isArray() || value.valueStream().anyMatch(v -> !v.isString())) {
      wrong(key, supported);
      return List.of();
    }
    return value.valueStream().map(JsonNode::asString).toList();
  }

  /**
   * Numbers of modules, by name or expression.
   *
   * @param whole whether they are whole
   */
  Map<String, Double> pattern(String key, boolean whole) {
    JsonNode value = json.path(key);
    Map<String, Double> pattern = new LinkedHashMap<>();
    if (isAbsent(value)) {
      return pattern;
    }
    boolean fits =
        value.isObject()
            && value.valueStream().allMatch(v -> whole ? v.isIntegralNumber() : v.isNumber());
    if (!fits) {
      wrong(key, "names or expressions with a " + (whole ? "whole number" : "number") + " each");
      return pattern;
    }
    value.properties().forEach(e -> pattern.put(e.getKey(), e.getValue().asDouble()));
    return pattern;
  }

  private static boolean isAbsent(JsonNode value) {
    return value.isMissingNode() || value.isNull();
  }

  int whole(String key, int fallback) {
    double value = number(key, fallback);
    if (value != Math.rint(value) || Math.abs(value) > Integer.MAX_VALUE) {
      wrong(key, "a whole number");
    }
    return (int) value;
  }

  double number(String key, double fallback) {
    JsonNode value = json.path(key);
    if (value.isMissingNode()) {
      return fallback;
    }
    if (!value.isNumber()) {
      wrong(key, "a number");
      return fallback;
    }
    return value.asDouble();
  }

  boolean flag(String key, boolean fallback) {
    JsonNode value = json.path(key);
    if (!isAbsent(value) && !value.isBoolean()) {
      wrong(key, "true or false");
    }
    return value.asBoolean(fallback);
  }

  /** Notes that a key has a value that is not supported. */
  void wrong(String key, String supported) {
    JsonNode value = json.path(key);
    problems.add(
        "\"%s\" is %s; supported: %s"
            .formatted(key, value.isMissingNode() ? "missing" : value, supported));
  }
}
