package dev.nibble.trainer.model.config;

import java.util.OptionalInt;

/**
 * Phi-3 and Phi-4-mini (arXiv:2404.14219, arXiv:2503.01743): Llama with q, k and v in one matrix,
 * gate and up in another, and rope that may rotate a part of each head.
 */
final class Phi3Family {
  private static final Sizes.Defaults DEFAULTS =
      new Sizes.Defaults(32064, 3072, 8192, 32, 32, OptionalInt.empty(), OptionalInt.empty(), 4096);

  private Phi3Family() {}

  static ModelConfig read(ConfigJson c) {
    FamilyKeys.refuseOtherMathematics(c);
    FamilyKeys.requireSilu(c);
    c.requireNumber("resid_pdrop", 0);
    c.requireNumber("embd_pdrop", 0);
    Sizes sizes = Sizes.read(c, DEFAULTS);
    int window = FamilyKeys.window(c, 0);
    return new ModelConfig(
        c.text("model_type", ""),
        sizes,
        LayerWiring.PLAIN.withFusedProjections(),
        FamilyKeys.alike(sizes, window, RopeReader.phi3(c, sizes)),
        c.positiveNumber("rms_norm_eps", 1e-5),
        0,
        false,
        c.flag("tie_word_embeddings", false),
        c.positiveNumber("initializer_range", 0.02));
  }
}
