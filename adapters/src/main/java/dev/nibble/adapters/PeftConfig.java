package dev.nibble.adapters;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.util.DefaultIndenter;
import tools.jackson.core.util.DefaultPrettyPrinter;
import tools.jackson.core.util.Separators;
import tools.jackson.databind.json.JsonMapper;

/**
 * PEFT's adapter_config.json of a LoRA adapter.
 *
 * @param baseModel where the adapter was trained on; empty when the file does not say
 */
record PeftConfig(LoraSpec spec, String baseModel) {
  static final String FILE = "adapter_config.json";

  static PeftConfig read(Path folder) {
    return PeftConfigReader.read(folder);
  }

  /**
   * The file's text. Keys that PEFT 0.4 does not know are written only where they say something, so
   * that plain adapters load everywhere.
   *
   * @param modules full names of the adapted modules
   */
  String toJson(List<String> modules) {
    LoraRanks ranks = spec.ranks();
    Map<String, @Nullable Object> json = new TreeMap<>();
    json.put("auto_mapping", null);
    json.put("base_model_name_or_path", baseModel.isEmpty() ? null : baseModel);
    json.put("bias", "none");
    json.put("fan_in_fan_out", false);
    json.put("inference_mode", true);
    json.put("init_lora_weights", start());
    json.put("layers_pattern", spec.targets().layers().map(this::patterns).orElse(null));
    json.put(
        "layers_to_transform",
        spec.targets().layers().map(TargetModules.Layers::indices).orElse(null));
    json.put("lora_alpha", number(ranks.alpha()));
    json.put("lora_dropout", spec.dropout());
    json.put("modules_to_save", spec.modulesToSave().isEmpty() ? null : spec.modulesToSave());
    json.put("peft_type", "LORA");
    json.put("r", ranks.r());
    json.put("revision", null);
    json.put("target_modules", targets(modules));
    json.put("task_type", "CAUSAL_LM");
    if (!ranks.rankPattern().isEmpty()) {
      json.put("rank_pattern", ranks.rankPattern());
    }
    if (!ranks.alphaPattern().isEmpty()) {
      Map<String, Object> alphas = new LinkedHashMap<>();
      ranks.alphaPattern().forEach((key, alpha) -> alphas.put(key, number(alpha)));
      json.put("alpha_pattern", alphas);
    }
    if (ranks.rslora()) {
      json.put("use_rslora", true);
    }
    if (spec.dora()) {
      json.put("use_dora", true);
    }
    if (spec.bias()) {
      json.put("lora_bias", true);
    }
    spec.targets().excluded().ifPresent(e -> json.put("exclude_modules", excluded(e)));
    if (spec.start() instanceof LoraStart.Loftq(int iterations)) {
      json.put("loftq_config", new TreeMap<>(Map.of("loftq_bits", 4, "loftq_iter", iterations)));
    }
    DefaultIndenter lines = new DefaultIndenter("  ", "\n");
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter(
                Separators.createDefaultInstance()
                    .withObjectNameValueSpacing(Separators.Spacing.AFTER))
            .withObjectIndenter(lines)
            .withArrayIndenter(lines);
    return JsonMapper.shared().writer().with(printer).writeValueAsString(json);
  }

  private Object start() {
    return switch (spec.start()) {
      case LoraStart.Zero z -> true;
      case LoraStart.Noise n -> false;
      default -> spec.start().written();
    };
  }

  private @Nullable Object patterns(TargetModules.Layers layers) {
    return layers.patterns().isEmpty() ? null : layers.patterns();
  }

  private static Object number(double x) {
    return x == Math.rint(x) && Math.abs(x) < 1e9 ? (Object) (int) x : (Object) x;
  }

  /**
   * Names and expressions as they were given; all-linear and a model's default become the modules'
   * own last names, which older readers know.
   */
  private Object targets(List<String> modules) {
    return switch (spec.targets().chosen()) {
      case ModuleChoice.Named named -> new TreeSet<>(named.names());
      case ModuleChoice.Matching matching -> matching.regex();
      case ModuleChoice.AllLinear all -> TargetModules.shortNames(modules);
      case ModuleChoice.ModelDefault unsaid -> TargetModules.shortNames(modules);
    };
  }

  private static Object excluded(ModuleChoice choice) {
    return choice instanceof ModuleChoice.Named named
        ? new TreeSet<>(named.names())
        : choice.written();
  }
}
