package dev.nibble.adapters;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The keys of adapter_config.json that are LoRA's own. */
final class LoraPeftKeys {
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
          "r",
          "rank_pattern",
          "use_dora",
          "use_rslora",
          "bias",
          "ensure_weight_tying",
          "trainable_token_indices");

  /** Keys of PEFT 0.21 that change what an adapter computes. */
  private static final Set<String> UNSUPPORTED =
      Set.of(
          "alora_invocation_tokens",
          "arrow_config",
          "corda_config",
          "kasa_config",
          "layer_replication",
          "lora_ga_config",
          "megatron_config",
          "monteclora_config",
          "target_parameters",
          "use_bdlora",
          "use_qalora",
          "velora_config");

  /** Keys that say nothing about the mathematics of an adapter that is already initialised. */
  private static final Set<String> INFORMATION =
      Set.of("eva_config", "megatron_core", "qalora_group_size", "runtime_config");

  private LoraPeftKeys() {}

  /** Keys that PEFT 0.4 does not know are there only where they say something. */
  static Map<String, @Nullable Object> of(LoraSpec spec) {
    LoraRanks ranks = spec.ranks();
    Map<String, @Nullable Object> json = new TreeMap<>();
    json.put("bias", "none");
    json.put("init_lora_weights", start(spec.start()));
    json.putAll(PeftConfig.layers(spec.targets()));
    json.put("lora_alpha", PeftConfig.number(ranks.alpha()));
    json.put("lora_dropout", spec.dropout());
    json.put("r", ranks.r());
    if (!ranks.rankPattern().isEmpty()) {
      json.put("rank_pattern", ranks.rankPattern());
    }
    if (!ranks.alphaPattern().isEmpty()) {
      Map<String, Object> alphas = new LinkedHashMap<>();
      ranks.alphaPattern().forEach((key, alpha) -> alphas.put(key, PeftConfig.number(alpha)));
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
    if (spec.start() instanceof LoraStart.Loftq(int iterations)) {
      json.put("loftq_config", new TreeMap<>(Map.of("loftq_bits", 4, "loftq_iter", iterations)));
    }
    return json;
  }

  private static Object start(LoraStart start) {
    return switch (start) {
      case LoraStart.Zero z -> true;
      case LoraStart.Noise n -> false;
      default -> start.written();
    };
  }

  static LoraSpec read(PeftJson json) {
    json.findUnsupported(READ, UNSUPPORTED, INFORMATION);
    json.readExtras("none", "all", "lora_only");
    int r = json.whole("r", 8);
    double alpha = json.number("lora_alpha", 8);
    double dropout = json.number("lora_dropout", 0);
    boolean rslora = json.flag("use_rslora", false);
    boolean dora = json.flag("use_dora", false);
    boolean bias = json.flag("lora_bias", false);
    Map<String, Integer> ranks = new LinkedHashMap<>();
    json.pattern("rank_pattern", true).forEach((key, rank) -> ranks.put(key, (int) (double) rank));
    Map<String, Double> alphas = json.pattern("alpha_pattern", false);
    LoraStart start = start(json);
    return json.build(() ->
        new LoraSpec(
            new LoraRanks(r, alpha, rslora, ranks, alphas),
            dropout,
            json.targets(ModuleChoice.ModelDefault.QUERY_AND_VALUE),
            json.modulesToSave(),
            dora,
            bias,
            start));
  }

  private static LoraStart start(PeftJson json) {
    JsonNode iterations = json.node("loftq_config").path("loftq_iter");
    JsonNode bits = json.node("loftq_config").path("loftq_bits");
    if (!bits.isMissingNode() && bits.asInt(0) != 4) {
      json.wrong("loftq_config", "4 bits");
    }
    JsonNode value = json.node("init_lora_weights");
    // EVA chose A from data, and left the base as it was.
    String name = value.isMissingNode() ? "true" : value.asString("").replace("eva", "true");
    return LoraStart.named(name, Math.max(1, iterations.asInt(1)))
        .orElseGet(() -> {
          json.wrong("init_lora_weights", LoraStart.NAMES + ", eva");
          return new LoraStart.Zero();
        });
  }
}
