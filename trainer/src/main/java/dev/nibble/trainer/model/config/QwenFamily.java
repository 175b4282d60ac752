package dev.nibble.trainer.model.config;

import dev.nibble.compute.kernels.AttentionRule;
import java.util.List;
import java.util.OptionalInt;

/**
 * Qwen2 and Qwen2.5 (arXiv:2407.10671, arXiv:2412.15115): Llama with biases on q, k and v; Qwen3
 * (arXiv:2505.09388): norms of query and key heads in their place. Both may have a window from some
 * layer on.
 */
final class QwenFamily {
  private static final Sizes.Defaults QWEN2 =
      new Sizes.Defaults(
          151936, 4096, 22016, 32, 32, OptionalInt.of(32), OptionalInt.empty(), 32768);
  private static final Sizes.Defaults QWEN3 =
      new Sizes.Defaults(
          151936, 4096, 22016, 32, 32, OptionalInt.of(32), OptionalInt.of(128), 32768);

  private QwenFamily() {}

  static ModelConfig readQwen2(ConfigJson c) {
    return read(c, Sizes.read(c, QWEN2), LayerWiring.PLAIN.withAttentionBiases(true, false));
  }

  static ModelConfig readQwen3(ConfigJson c) {
    boolean bias = c.flag("attention_bias", false);
    LayerWiring wiring = LayerWiring.PLAIN.withAttentionBiases(bias, bias).withHeadNorms();
    return read(c, Sizes.read(c, QWEN3), wiring);
  }

  private static ModelConfig read(ConfigJson c, Sizes sizes, LayerWiring wiring) {
    FamilyKeys.refuseOtherMathematics(c);
    FamilyKeys.requireSilu(c);
    return new ModelConfig(
        c.text("model_type", ""),
        sizes,
        wiring,
        attention(c, sizes, RopeReader.wholeHead(c, sizes)),
        c.positiveNumber("rms_norm_eps", 1e-6),
        0,
        false,
        c.flag("tie_word_embeddings", false),
        c.positiveNumber("initializer_range", 0.02));
  }

  private static List<LayerAttention> attention(ConfigJson c, Sizes sizes, Rope rope) {
    boolean used = c.flag("use_sliding_window", false);
    int window = used ? FamilyKeys.window(c, 4096) : 0;
    int firstSliding = c.notNegative("max_window_layers", 28);
    List<Boolean> sliding =
        FamilyKeys.sliding(c, sizes.layers(), l -> window > 0 && l >= firstSliding);
    if (sliding.contains(true) && !used) {
      throw c.wrong("use_sliding_window", "true, as some layers are " + Rope.SLIDING);
    }
    double scale = 1 / Math.sqrt(sizes.head());
    return sliding.stream()
        .map(s -> new AttentionRule(scale, s ? FamilyKeys.requiredWindow(c, window) : 0, 0))
        .map(rule -> new LayerAttention(rule, rope))
        .toList();
  }
}
