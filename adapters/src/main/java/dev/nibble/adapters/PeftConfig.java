package dev.nibble.adapters;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.util.DefaultIndenter;
import tools.jackson.core.util.DefaultPrettyPrinter;
import tools.jackson.core.util.Separators;
import tools.jackson.databind.json.JsonMapper;

/**
 * PEFT's adapter_config.json.
 *
 * @param baseModel where the adapter was trained on; empty when the file does not say
 * @param extras what trained beside the adapter
 * @param ignored keys that PEFT does not have, and which say something
 */
record PeftConfig(AdapterSpec spec, String baseModel, PeftExtras extras, List<String> ignored) {
  static final String FILE = "adapter_config.json";

  /** Copies the list. */
  PeftConfig {
    ignored = List.copyOf(ignored);
  }

  /** Of an adapter and nothing beside it. */
  PeftConfig(AdapterSpec spec, String baseModel) {
    this(spec, baseModel, PeftExtras.NONE, List.of());
  }

  static PeftConfig read(Path folder) {
    PeftJson json = PeftJson.open(folder);
    AdapterSpec spec =
        switch (json.text("peft_type")) {
          case LoraSpec.PEFT_TYPE -> LoraPeftKeys.read(json);
          case Ia3Spec.PEFT_TYPE -> Ia3Spec.read(json);
          case VeraSpec.PEFT_TYPE -> VeraSpec.read(json);
          default ->
              throw json.unsupported(
                  "peft_type",
                  String.join(", ", LoraSpec.PEFT_TYPE, Ia3Spec.PEFT_TYPE, VeraSpec.PEFT_TYPE));
        };
    return new PeftConfig(
        spec, json.text("base_model_name_or_path"), json.extras(), json.ignored());
  }

  /** The same with another description of the adapter. */
  PeftConfig with(AdapterSpec other) {
    return new PeftConfig(other, baseModel, extras, ignored);
  }

  /**
   * The file's text.
   *
   * @param modules full names of the adapted modules
   */
  String toJson(Collection<String> modules) {
    Map<String, @Nullable Object> json = new TreeMap<>();
    json.put("auto_mapping", null);
    json.put("base_model_name_or_path", baseModel.isEmpty() ? null : baseModel);
    json.put("fan_in_fan_out", false);
    json.put("inference_mode", true);
    json.put("modules_to_save", spec.modulesToSave().isEmpty() ? null : spec.modulesToSave());
    json.put("peft_type", spec.peftType());
    json.put("revision", null);
    Optional<String> expression = expression();
    Set<String> names = expression.isPresent() ? Set.of() : names(modules);
    json.put("target_modules", expression.isPresent() ? expression.get() : names);
    json.put("task_type", "CAUSAL_LM");
    spec.targets().excluded().ifPresent(e -> json.put("exclude_modules", excluded(e)));
    json.putAll(spec.peftKeys(names));
    DefaultIndenter lines = new DefaultIndenter("  ", "\n");
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter(
                Separators.createDefaultInstance()
                    .withObjectNameValueSpacing(Separators.Spacing.AFTER))
            .withObjectIndenter(lines)
            .withArrayIndenter(lines);
    return JsonMapper.shared().writer().with(printer).writeValueAsString(json);
  }

  /** The keys of the layers that have the adapter. */
  static Map<String, @Nullable Object> layers(TargetModules targets) {
    Map<String, @Nullable Object> json = new TreeMap<>();
    json.put("layers_pattern", targets.layers().map(PeftConfig::patterns).orElse(null));
    json.put(
        "layers_to_transform", targets.layers().map(TargetModules.Layers::indices).orElse(null));
    return json;
  }

  private static @Nullable Object patterns(TargetModules.Layers layers) {
    return layers.patterns().isEmpty() ? null : layers.patterns();
  }

  /** A number, without a fraction where it has none. */
  static Object number(double x) {
    return x == Math.rint(x) && Math.abs(x) < 1e9 ? (Object) (int) x : (Object) x;
  }

  private Optional<String> expression() {
    return spec.targets().chosen() instanceof ModuleChoice.Matching(String regex)
        ? Optional.of(regex)
        : Optional.empty();
  }

  /**
   * Names as they were given; all-linear and a model's default become the modules' own last names,
   * which older readers know.
   */
  private Set<String> names(Collection<String> modules) {
    return spec.targets().chosen() instanceof ModuleChoice.Named(List<String> names)
        ? new TreeSet<>(names)
        : TargetModules.shortNames(modules);
  }

  private static Object excluded(ModuleChoice choice) {
    return choice instanceof ModuleChoice.Named named
        ? new TreeSet<>(named.names())
        : choice.written();
  }
}
