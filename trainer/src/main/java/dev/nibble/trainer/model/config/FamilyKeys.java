package dev.nibble.trainer.model.config;

import dev.nibble.compute.kernels.AttentionRule;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/** Keys of config.json that several families read alike. */
final class FamilyKeys {
  private static final List<String> EXPERTS =
      List.of("num_local_experts", "num_experts", "n_routed_experts");

  private FamilyKeys() {}

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
