package dev.nibble.trainer.model.config;

import java.util.OptionalInt;

/** Llama 2 and 3 (arXiv:2302.13971, arXiv:2407.21783). */
final class LlamaFamily {
  private static final Sizes.Defaults DEFAULTS =
      new Sizes.Defaults(
          32000, 4096, 11008, 32, 32, OptionalInt.empty(), OptionalInt.empty(), 2048);

  private LlamaFamily() {}

  static ModelConfig read(ConfigJson c) {
    FamilyKeys.refuseOtherMathematics(c);
    FamilyKeys.requireSilu(c);
    c.requireNumber("pretraining_tp", 1);
    c.requireAbsent("sliding_window");
    Sizes sizes = Sizes.read(c, DEFAULTS);
    boolean bias = c.flag("attention_bias", false);
    return new ModelConfig(
        c.text("model_type", ""),
        sizes,
        LayerWiring.PLAIN.withAttentionBiases(bias, bias).withMlpBias(c.flag("mlp_bias", false)),
        FamilyKeys.alike(sizes, 0, RopeReader.wholeHead(c, sizes)),
        c.positiveNumber("rms_norm_eps", 1e-6),
        0,
        false,
        c.flag("tie_word_embeddings", false),
        c.positiveNumber("initializer_range", 0.02));
  }
}
