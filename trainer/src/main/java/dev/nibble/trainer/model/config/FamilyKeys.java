package dev.nibble.trainer.model.config;

import dev.nibble.compute.kernels.AttentionRule;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** Keys of config.json that several families read alike. */
final class FamilyKeys {
  private static final List<String> EXPERTS =
      List.of("num_local_experts", "num_experts", "n_routed_experts");

  /**
   * Keys that change what a model computes in families that have them. transformers leaves them out
   * of those that have not, so such a config was made for another model than its {@code
   * model_type}.
   */
  private static final Set<String> OF_SOME_FAMILIES =
      Set.of(
          "attention_chunk_size",
          "attention_multiplier",
          "attn_logit_softcapping",
          "attn_temperature_tuning",
          "clip_qkv",
          "embedding_multiplier",
          "final_logit_softcapping",
          "hidden_dropout",
          "kv_lora_rank",
          "layer_types",
          "logit_scale",
          "logits_scaling",
          "no_rope_layer_interval",
          "no_rope_layers",
          "num_kv_shared_layers",
          "partial_rotary_factor",
          "q_lora_rank",
          "qk_layernorm",
          "query_pre_attn_scalar",
          "residual_multiplier",
          "rope_interleaved",
          "rope_local_base_freq",
          "rotary_pct",
          "scale_depth",
          "scale_emb",
          "sliding_window_pattern",
          "use_mrope",
          "use_parallel_residual",
          "use_qk_norm");

  private FamilyKeys() {}

  /** Refuses keys that have an effect in other families, once a family has read its own. */
  static void refuseThoseOfOthers(ConfigJson c) {
    c.refuseUnread(OF_SOME_FAMILIES);
  }

  /** Refuses what would change the mathematics in silence. */
  static void refuseOtherMathematics(ConfigJson c) {
    c.requireNumber("attention_dropout", 0);
    c.requireAbsent("use_bidirectional_attention");
    EXPERTS.forEach(c::requireAbsent);
  }

  static void requireSilu(ConfigJson c) {
    c.requireText("hidden_act", "silu");
  }

  /** Scores divided by sqrt(D), every layer with the same window (0: none) and rope. */
  static List<LayerAttention> alike(Sizes sizes, int window, Rope rope) {
    AttentionRule rule = new AttentionRule(1 / Math.sqrt(sizes.head()), window, 0);
    return Collections.nCopies(sizes.layers(), new LayerAttention(rule, rope));
  }

  /** A layer's place in the alternation of windowed and full attention. */
  interface LayerRule {
    boolean isSliding(int layer);
  }

  /**
   * Which layers have a window: {@code layer_types}, or the family's rule where that key is
   * missing.
   */
  static List<Boolean> sliding(ConfigJson c, int layers, LayerRule rule) {
    if (!c.has("layer_types")) {
      return IntStream.range(0, layers).mapToObj(rule::isSliding).toList();
    }
    List<String> types = c.texts("layer_types");
    if (types.size() != layers
        || !types.stream().allMatch(t -> t.equals(Rope.SLIDING) || t.equals(Rope.FULL))) {
      throw c.wrong(
          "layer_types",
          "%s or %s for each of %d layers".formatted(Rope.FULL, Rope.SLIDING, layers));
    }
    return types.stream().map(Rope.SLIDING::equals).toList();
  }

  /** {@code sliding_window}; 0 when it is null. Missing: the fallback. */
  static int window(ConfigJson c, int fallback) {
    if (!c.has("sliding_window")) {
      return c.contains("sliding_window") ? 0 : fallback;
    }
    return c.positive("sliding_window");
  }

  /** The window that sliding layers need. */
  static int requiredWindow(ConfigJson c, int window) {
    if (window == 0) {
      throw c.wrong("sliding_window", "a positive integer, as some layers are " + Rope.SLIDING);
    }
    return window;
  }

  /** A soft cap; 0 when it is null. Missing: the fallback. */
  static double softCap(ConfigJson c, String key, double fallback) {
    if (!c.has(key)) {
      return c.contains(key) ? 0 : fallback;
    }
    return c.positiveNumber(key);
  }
}
