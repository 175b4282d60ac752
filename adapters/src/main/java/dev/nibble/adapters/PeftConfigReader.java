package dev.nibble.adapters;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads an adapter_config.json; what is wrong or unsupported in it becomes one error. */
final class PeftConfigReader {
  /** Keys that say nothing about the mathematics of an adapter that is already initialised. */
  private static final Set<String> INFORMATION =
      Set.of(
          "auto_mapping",
          "base_model_name_or_path",
          "eva_config",
          "inference_mode",
          "megatron_core",
          "peft_type",
          "peft_version",
          "qalora_group_size",
          "revision",
          "runtime_config",
          "task_type");

  private static final Set<String> READ =
      Set.of(
          "alpha_pattern",
          "exclude_modules",
          "init_lora_weights",
          "layers_pattern",
          "layers_to_transform",
          "loftq_config",
          "lora_alpha",
          "lora_bias",
          "lora_dropout",
          "modules_to_save",
          "r",
          "rank_pattern",
          "target_modules",
          "use_dora",
          "use_rslora");

  private final Path file;
  private final JsonNode json;
  private final List<String> problems = new ArrayList<>();

  private PeftConfigReader(Path file, JsonNode json) {
    this.file = file;
    this.json = json;
  }

  static PeftConfig read(Path folder) {
    Path file = folder.resolve(PeftConfig.FILE);
    if (!Files.isRegularFile(file)) {
      throw new AdapterException(
          "%s is not a PEFT adapter: it has no %s".formatted(folder, PeftConfig.FILE));
    }
    JsonNode json;
    try {
      json = JsonMapper.shared().readTree(Files.readString(file));
    } catch (IOException e) {
      throw new AdapterException("cannot read %s: %s".formatted(file, e), e);
    } catch (JacksonException e) {
      throw new AdapterException(
          "%s is not valid JSON: %s".formatted(file, e.getOriginalMessage()), e);
    }
    if (!json.isObject()) {
      throw new AdapterException(file + " does not hold a JSON object");
    }
    return new PeftConfigReader(file, json).read();
  }

  private PeftConfig read() {
    if (!json.path("peft_type").asString("").equals("LORA")) {
      wrong("peft_type", "\"LORA\"");
    }
    findUnsupported();
    int r = whole("r", 8);
    double alpha = number("lora_alpha", 8);
    double dropout = number("lora_dropout", 0);
    boolean rslora = flag("use_rslora");
    boolean dora = flag("use_dora");
    boolean bias = flag("lora_bias");
    Map<String, Integer> ranks = new LinkedHashMap<>();
    Map<String, Double> alphas = new LinkedHashMap<>();
    pattern("rank_pattern").forEach((key, value) -> ranks.put(key, (int) (double) value));
    pattern("alpha_pattern").forEach(alphas::put);
    LoraStart start = start();
    List<String> saved = names("modules_to_save", "null or a list of module names");
    List<String> layersPattern = names("layers_pattern", "null, a name or a list of names");
    List<Integer> layers = layers();
    Optional<ModuleChoice> excluded = choice("exclude_modules");
    Optional<ModuleChoice> targets = choice("target_modules");
    throwProblems();
    try {
      return new PeftConfig(
          new LoraSpec(
              new LoraRanks(r, alpha, rslora, ranks, alphas),
              dropout,
              new TargetModules(
                  targets.orElseGet(ModuleChoice.ModelDefault::new),
                  excluded,
                  layers.isEmpty()
                      ? Optional.empty()
                      : Optional.of(new TargetModules.Layers(layers, layersPattern))),
              saved,
              dora,
              bias,
              start),
          json.path("base_model_name_or_path").asString(""));
    } catch (AdapterException e) {
      throw new AdapterException(file + ": " + e.getMessage(), e);
    }
  }

  private void throwProblems() {
    if (!problems.isEmpty()) {
      throw new AdapterException(
          "%s asks for what is not supported:%n  %s"
              .formatted(file, String.join(System.lineSeparator() + "  ", problems)));
    }
  }

  private void findUnsupported() {
    for (Map.Entry<String, JsonNode> e : json.properties()) {
      boolean known = INFORMATION.contains(e.getKey()) || READ.contains(e.getKey());
      if (!known && !isNeutral(e.getValue())) {
        wrong(e.getKey(), e.getKey().equals("bias") ? "\"none\"" : "leaving it out");
      }
    }
  }

  private static boolean isNeutral(JsonNode value) {
    return value.isNull()
        || (value.isBoolean() && !value.asBoolean())
        || (value.isContainer() && value.isEmpty())
        || (value.isString() && value.asString().equals("none"));
  }

  private LoraStart start() {
    JsonNode value = json.path("init_lora_weights");
    JsonNode iterations = json.path("loftq_config").path("loftq_iter");
    JsonNode bits = json.path("loftq_config").path("loftq_bits");
    if (!bits.isMissingNode() && bits.asInt(0) != 4) {
      wrong("loftq_config", "4 bits");
    }
    // EVA chose A from data, and left the base as it was.
    String name = value.isMissingNode() ? "true" : value.asString("").replace("eva", "true");
    return LoraStart.named(name, Math.max(1, iterations.asInt(1)))
        .orElseGet(() -> {
          wrong("init_lora_weights", LoraStart.NAMES + ", eva");
          return new LoraStart.Zero();
        });
  }

  private Optional<ModuleChoice> choice(String key) {
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
    if (value.isIntegralNumber()) {
      return List.of(value.asInt());
    }
    if (!value.isArray() || value.valueStream().anyMatch(v -> !v.isIntegralNumber())) {
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

  private Map<String, Double> pattern(String key) {
    JsonNode value = json.path(key);
    Map<String, Double> pattern = new LinkedHashMap<>();
    if (isAbsent(value)) {
      return pattern;
    }
    boolean whole = key.equals("rank_pattern");
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

  private int whole(String key, int fallback) {
    double value = number(key, fallback);
    if (value != Math.rint(value) || Math.abs(value) > Integer.MAX_VALUE) {
      wrong(key, "a whole number");
    }
    return (int) value;
  }

  private double number(String key, double fallback) {
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

  private boolean flag(String key) {
    JsonNode value = json.path(key);
    if (!isAbsent(value) && !value.isBoolean()) {
      wrong(key, "true or false");
    }
    return value.asBoolean(false);
  }

  private void wrong(String key, String supported) {
    JsonNode value = json.path(key);
    problems.add(
        "\"%s\" is %s; supported: %s"
            .formatted(key, value.isMissingNode() ? "missing" : value, supported));
  }
}
