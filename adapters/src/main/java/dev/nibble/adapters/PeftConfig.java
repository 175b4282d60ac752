package dev.nibble.adapters;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.util.DefaultIndenter;
import tools.jackson.core.util.DefaultPrettyPrinter;
import tools.jackson.core.util.Separators;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * PEFT's adapter_config.json, as far as it describes plain LoRA.
 *
 * @param baseModel where the adapter was trained on; empty when the file does not say
 */
record PeftConfig(LoraSpec spec, String baseModel) {
  static final String FILE = "adapter_config.json";

  /** Keys that say nothing about the mathematics of an adapter that is already initialised. */
  private static final Set<String> INFORMATION =
      Set.of(
          "auto_mapping",
          "ensure_weight_tying",
          "inference_mode",
          "loftq_config",
          "megatron_core",
          "peft_version",
          "qalora_group_size",
          "revision",
          "task_type");

  private static final Set<String> READ =
      Set.of(
          "base_model_name_or_path",
          "init_lora_weights",
          "lora_alpha",
          "lora_dropout",
          "peft_type",
          "r",
          "target_modules");

  /** Initialisations that leave the base model as it was. */
  private static final Set<String> PLAIN_INITS =
      Set.of("true", "false", "gaussian", "orthogonal", "eva");

  static PeftConfig read(Path folder) {
    Path file = folder.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      throw new AdapterException("%s is not a PEFT adapter: it has no %s".formatted(folder, FILE));
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
    refuseUnsupported(file, json);
    double alpha = number(file, json, "lora_alpha", 8);
    double r = number(file, json, "r", 8);
    if (r != Math.rint(r)) {
      throw wrong(file, "r", json.get("r"), "a whole number");
    }
    double dropout = number(file, json, "lora_dropout", 0);
    try {
      return new PeftConfig(
          new LoraSpec((int) r, alpha, dropout, targets(file, json)),
          json.path("base_model_name_or_path").asString(""));
    } catch (AdapterException e) {
      throw new AdapterException(file + ": " + e.getMessage(), e);
    }
  }

  private static void refuseUnsupported(Path file, JsonNode json) {
    if (!json.path("peft_type").asString("").equals("LORA")) {
      throw wrong(file, "peft_type", json.get("peft_type"), "\"LORA\"");
    }
    if (json.has("init_lora_weights")
        && !PLAIN_INITS.contains(json.get("init_lora_weights").asString())) {
      throw wrong(file, "init_lora_weights", json.get("init_lora_weights"), "true, \"gaussian\"");
    }
    List<String> unsupported = new ArrayList<>();
    for (Map.Entry<String, JsonNode> e : json.properties()) {
      boolean known = INFORMATION.contains(e.getKey()) || READ.contains(e.getKey());
      if (!known && !isNeutral(e.getValue())) {
        unsupported.add("\"%s\": %s".formatted(e.getKey(), e.getValue()));
      }
    }
    if (!unsupported.isEmpty()) {
      throw new AdapterException(
          "%s asks for what is not supported: %s; supported is plain LoRA on linear modules"
              .formatted(file, String.join(", ", unsupported)));
    }
  }

  private static boolean isNeutral(JsonNode value) {
    return value.isNull()
        || (value.isBoolean() && !value.asBoolean())
        || (value.isContainer() && value.isEmpty())
        || (value.isString() && value.asString().equals("none"));
  }

  private static TargetModules targets(Path file, JsonNode json) {
    JsonNode targets = json.path("target_modules");
    if (targets.isString() && targets.asString().equals("all-linear")) {
      return TargetModules.allLinear();
    }
    if (!targets.isArray()) {
      throw wrong(file, "target_modules", targets, "a list of module names or \"all-linear\"");
    }
    List<String> names = new ArrayList<>();
    targets.forEach(t -> names.add(t.asString()));
    return TargetModules.named(names);
  }

  private static double number(Path file, JsonNode json, String key, double fallback) {
    JsonNode value = json.get(key);
    if (value == null) {
      return fallback;
    }
    if (!value.isNumber()) {
      throw wrong(file, key, value, "a number");
    }
    return value.asDouble();
  }

  private static AdapterException wrong(
      Path file, String key, @Nullable JsonNode value, String supported) {
    String got = value == null || value.isMissingNode() ? "missing" : value.toString();
    return new AdapterException(
        "%s: \"%s\" is %s; supported: %s".formatted(file, key, got, supported));
  }

  /**
   * The file's text, with the keys that every PEFT since 0.4 knows.
   *
   * @param modules full names of the adapted modules
   */
  String toJson(List<String> modules) {
    Map<String, @Nullable Object> json = new TreeMap<>();
    json.put("auto_mapping", null);
    json.put("base_model_name_or_path", baseModel.isEmpty() ? null : baseModel);
    json.put("bias", "none");
    json.put("fan_in_fan_out", false);
    json.put("inference_mode", true);
    json.put("init_lora_weights", true);
    json.put("layers_pattern", null);
    json.put("layers_to_transform", null);
    json.put("lora_alpha", isWhole(spec.alpha()) ? (Object) (int) spec.alpha() : spec.alpha());
    json.put("lora_dropout", spec.dropout());
    json.put("modules_to_save", null);
    json.put("peft_type", "LORA");
    json.put("r", spec.r());
    json.put("revision", null);
    json.put("target_modules", names(modules));
    json.put("task_type", "CAUSAL_LM");
    DefaultIndenter lines = new DefaultIndenter("  ", "\n");
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter(
                Separators.createDefaultInstance()
                    .withObjectNameValueSpacing(Separators.Spacing.AFTER))
            .withObjectIndenter(lines)
            .withArrayIndenter(lines);
    return JsonMapper.shared().writer().with(printer).writeValueAsString(json);
  }

  private static boolean isWhole(double x) {
    return x == Math.rint(x) && Math.abs(x) < 1e9;
  }

  /**
   * Names as they were given; all-linear becomes the modules' own last names, which older readers
   * know.
   */
  private Set<String> names(List<String> modules) {
    return switch (spec.targets()) {
      case TargetModules.Named named -> new TreeSet<>(named.names());
      case TargetModules.AllLinear all -> {
        Set<String> names = new TreeSet<>();
        modules.forEach(m -> names.add(m.substring(m.lastIndexOf('.') + 1)));
        yield names;
      }
    };
  }
}
