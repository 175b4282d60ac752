package dev.nibble.trainer.model.config;

import dev.nibble.compute.kernels.AttentionRule;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * SmolLM3 (huggingface.co/blog/smollm3): Llama with no rotary positions in every fourth layer (NoPE
 * layers, arXiv:2501.18795), which may have a window where the config says so.
 */
final class SmolLm3Family {
  private static final Sizes.Defaults DEFAULTS =
      new Sizes.Defaults(
          128256, 2048, 11008, 36, 16, OptionalInt.of(4), OptionalInt.empty(), 32768);

  private SmolLm3Family() {}

  static ModelConfig read(ConfigJson c) {
    FamilyKeys.refuseOtherMathematics(c);
    FamilyKeys.requireSilu(c);
    Sizes sizes = Sizes.read(c, DEFAULTS);
    boolean bias = c.flag("attention_bias", false);
    return new ModelConfig(
        c.text("model_type", ""),
        sizes,
        LayerWiring.PLAIN.withAttentionBiases(bias, bias).withMlpBias(c.flag("mlp_bias", false)),
        attention(c, sizes, RopeReader.wholeHead(c, sizes, 2e6)),
        c.positiveNumber("rms_norm_eps", 1e-6),
        0,
        false,
        c.flag("tie_word_embeddings", true),
        c.positiveNumber("initializer_range", 0.02));
  }

  private static List<LayerAttention> attention(ConfigJson c, Sizes sizes, Rope rope) {
    List<Boolean> rotated = rotated(c, sizes.layers());
    int window = c.flag("use_sliding_window", false) ? FamilyKeys.window(c, 0) : 0;
    List<Boolean> sliding =
        FamilyKeys.sliding(c, sizes.layers(), l -> window > 0 && !rotated.get(l));
    double scale = 1 / Math.sqrt(sizes.head());
    return IntStream.range(0, sizes.layers())
        .mapToObj(l -> {
          int width = sliding.get(l) ? FamilyKeys.requiredWindow(c, window) : 0;
          AttentionRule rule = new AttentionRule(scale, width, 0);
          return rotated.get(l) ? new LayerAttention(rule, rope) : LayerAttention.noPositions(rule);
        })
        .toList();
  }

  /** Which layers have a rope. */
  private static List<Boolean> rotated(ConfigJson c, int layers) {
    int interval = c.positive("no_rope_layer_interval", 4);
    if (!c.has("no_rope_layers")) {
      return IntStream.range(0, layers).mapToObj(l -> (l + 1) % interval != 0).toList();
    }
    List<Boolean> rotated = c.zerosAndOnes("no_rope_layers");
    if (rotated.size() < layers) {
      throw c.wrong("no_rope_layers", "0 or 1 for each of %d layers".formatted(layers));
    }
    return rotated.subList(0, layers);
  }
}
