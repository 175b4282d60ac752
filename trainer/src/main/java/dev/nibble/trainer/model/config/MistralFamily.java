package dev.nibble.trainer.model.config;

import java.util.OptionalInt;

/** Mistral 7B and its successors (arXiv:2310.06825): Llama with a window in every layer. */
final class MistralFamily {
  private static final Sizes.Defaults DEFAULTS =
      new Sizes.Defaults(
          32000, 4096, 14336, 32, 32, OptionalInt.of(8), OptionalInt.empty(), 131072);

  private MistralFamily() {}

  static ModelConfig read(ConfigJson c) {
    FamilyKeys.refuseOtherMathematics(c);
    FamilyKeys.requireSilu(c);
    c.requireAbsent("layer_types");
    Sizes sizes = Sizes.read(c, DEFAULTS);
    int window = FamilyKeys.window(c, 4096);
    return new ModelConfig(
        c.text("model_type", ""),
        sizes,
        LayerWiring.PLAIN,
        FamilyKeys.alike(sizes, window, RopeReader.wholeHead(c, sizes)),
        c.positiveNumber("rms_norm_eps", 1e-6),
        0,
        false,
        c.flag("tie_word_embeddings", false),
        c.positiveNumber("initializer_range", 0.02));
  }
}
