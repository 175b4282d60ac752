package dev.nibble.trainer.model.config;

import dev.nibble.compute.kernels.AttentionRule;
import java.util.List;
import java.util.OptionalInt;

/**
 * Gemma 2 (arXiv:2408.00118): norms around each branch, GeGLU, scaled embeddings, soft caps, a
 * window in every other layer. Gemma 3's text model (arXiv:2503.19786): norms of query and key
 * heads in place of the caps, a window in five layers of six, and a rope for each kind of layer.
 */
final class GemmaFamily {
  private static final Sizes.Defaults GEMMA2 =
      new Sizes.Defaults(256000, 2304, 9216, 26, 8, OptionalInt.of(4), OptionalInt.of(256), 8192);
  private static final Sizes.Defaults GEMMA3 =
      new Sizes.Defaults(262208, 2304, 9216, 26, 8, OptionalInt.of(4), OptionalInt.of(256), 131072);

  private GemmaFamily() {}

  static ModelConfig readGemma2(ConfigJson c) {
    Sizes sizes = Sizes.read(c, GEMMA2);
    Rope rope = RopeReader.wholeHead(c, sizes);
    double cap = FamilyKeys.softCap(c, "attn_logit_softcapping", 50);
    List<Boolean> sliding = FamilyKeys.sliding(c, sizes.layers(), l -> l % 2 == 0);
    return read(
        c,
        sizes,
        wiring(c),
        sliding.stream().map(s -> new LayerAttention(rule(c, s, cap), rope)).toList(),
        FamilyKeys.softCap(c, "final_logit_softcapping", 30));
  }

  static ModelConfig readGemma3(ConfigJson c) {
    Sizes sizes = Sizes.read(c, GEMMA3);
    c.requireAbsent("attn_logit_softcapping");
    int period = c.positive("sliding_window_pattern", 6);
    List<Boolean> sliding = FamilyKeys.sliding(c, sizes.layers(), l -> (l + 1) % period != 0);
    Rope local = RopeReader.gemma3Sliding(c, sizes);
    Rope global = RopeReader.gemma3Full(c, sizes);
    return read(
        c,
        sizes,
        wiring(c).withHeadNorms(),
        sliding.stream().map(s -> new LayerAttention(rule(c, s, 0), s ? local : global)).toList(),
        FamilyKeys.softCap(c, "final_logit_softcapping", 0));
  }

  private static LayerWiring wiring(ConfigJson c) {
    boolean bias = c.flag("attention_bias", false);
    return LayerWiring.PLAIN.withAttentionBiases(bias, bias).withGemmaNormsAndGate();
  }

  private static AttentionRule rule(ConfigJson c, boolean sliding, double cap) {
    int window = sliding ? FamilyKeys.requiredWindow(c, FamilyKeys.window(c, 4096)) : 0;
    double scale = 1 / Math.sqrt(c.positiveNumber("query_pre_attn_scalar", 256));
    return new AttentionRule(scale, window, cap);
  }

  private static ModelConfig read(
      ConfigJson c,
      Sizes sizes,
      LayerWiring wiring,
      List<LayerAttention> attention,
      double finalSoftCap) {
    FamilyKeys.refuseOtherMathematics(c);
    c.requireText("hidden_activation", "gelu_pytorch_tanh");
    return new ModelConfig(
        c.text("model_type", ""),
        sizes,
        wiring,
        attention,
        c.positiveNumber("rms_norm_eps", 1e-6),
        finalSoftCap,
        true,
        c.flag("tie_word_embeddings", true),
        c.positiveNumber("initializer_range", 0.02));
  }
}
