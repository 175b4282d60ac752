package dev.nibble.trainer.export.gguf;

import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.model.config.LayerPlan;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.Rope;
import dev.nibble.trainer.model.config.RopeScaling;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** Rotary embedding in GGUF's terms: metadata, and tensors that frequencies are divided by. */
final class RopeExport {
  private final Architecture architecture;
  private final Rope rope;
  private final String prefix;
  private final GgufMetadata metadata;
  private final List<GgufTensor> tensors;
  private final List<String> warnings;

  private RopeExport(
      Architecture architecture,
      Rope rope,
      GgufMetadata metadata,
      List<GgufTensor> tensors,
      List<String> warnings) {
    this.architecture = architecture;
    this.rope = rope;
    this.prefix = architecture.id() + ".rope.";
    this.metadata = metadata;
    this.tensors = tensors;
    this.warnings = warnings;
  }

  /**
   * Adds what a model's layers turn by.
   *
   * @throws ExportException when llama.cpp does not know it
   */
  static void add(
      ModelConfig model,
      Architecture architecture,
      GgufMetadata metadata,
      List<GgufTensor> tensors,
      List<String> warnings) {
    boolean gemma3 = architecture == Architecture.GEMMA3;
    // Gemma 3 alone has a rope of its own for the layers with a window.
    Optional<Rope> windowed = find(model, l -> l.attention().rule().window() > 0);
    Optional<Rope> global = find(model, l -> l.attention().rule().window() == 0);
    Rope rope =
        switch (architecture) {
          case GEMMA3 -> global.or(() -> windowed).orElseThrow();
          case SMOLLM3 -> model.ropes().getFirst(); // of those layers that have one
          default -> one(model);
        };
    String prefix = architecture.id() + ".rope.";
    metadata.f32(prefix + "freq_base", rope.theta());
    if (gemma3 && windowed.isPresent()) {
      if (!(windowed.get().scaling() instanceof RopeScaling.None)) {
        throw new ExportException(
            "layers of gemma3 with a window have scaled rope, which llama.cpp's have not");
      }
      metadata.f32(prefix + "freq_base_swa", windowed.get().theta());
    }
    new RopeExport(architecture, rope, metadata, tensors, warnings).add();
  }

  private static Optional<Rope> find(ModelConfig model, Predicate<LayerPlan> layers) {
    return model.layers().stream()
        .filter(layers)
        .flatMap(l -> l.attention().rope().stream())
        .findFirst();
  }

  /** The rope of all layers. */
  private static Rope one(ModelConfig model) {
    List<Rope> ropes = model.ropes();
    if (ropes.size() != 1
        || model.layers().stream().anyMatch(l -> l.attention().rope().isEmpty())) {
      throw new ExportException(
          "layers of %s have %d ropes, llama.cpp's have one"
              .formatted(model.family(), ropes.size()));
    }
    return ropes.getFirst();
  }

  private void add() {
    metadata.u32(prefix + "dimension_count", rope.rotated());
    switch (rope.scaling()) {
      case RopeScaling.None none -> {}
      case RopeScaling.Linear(double factor) -> factor("linear", factor);
      case RopeScaling.Dynamic(double factor, int trained) ->
          warnings.add(
              "dynamic rope scaling is left out: GGUF has none; texts of up to %d tokens are the same"
                  .formatted(trained));
      case RopeScaling.Llama3 llama3 -> llama3(llama3);
      case RopeScaling.Yarn yarn -> yarn(yarn);
      case RopeScaling.LongRope longRope -> longRope(longRope);
    }
  }

  private void factor(String type, double factor) {
    metadata.text(prefix + "scaling.type", type).f32(prefix + "scaling.factor", factor);
  }

  private void require(Architecture wanted, String scaling) {
    if (architecture != wanted) {
      throw new ExportException(
          "llama.cpp's %s has no %s rope; it is for %s alone"
              .formatted(architecture.id(), scaling, wanted.id()));
    }
  }

  /**
   * Llama 3.1: wavelengths above original / low_freq_factor are stretched by factor, those below
   * original / high_freq_factor are not, and those between are blended.
   */
  private void llama3(RopeScaling.Llama3 scaling) {
    require(Architecture.LLAMA, "llama3");
    float[] divisors = new float[rope.rotated() / 2];
    for (int i = 0; i < divisors.length; i++) {
      double wavelength = 2 * Math.PI * Math.pow(rope.theta(), 2.0 * i / rope.rotated());
      double smooth =
          (scaling.original() / wavelength - scaling.low()) / (scaling.high() - scaling.low());
      if (wavelength > scaling.original() / scaling.low()) {
        divisors[i] = (float) scaling.factor();
      } else if (wavelength < scaling.original() / scaling.high()) {
        divisors[i] = 1;
      } else {
        divisors[i] = (float) (1 / ((1 - smooth) / scaling.factor() + smooth));
      }
    }
    tensors.add(GgufTensor.vector("rope_freqs.weight", divisors));
  }

  /** YaRN (arXiv:2309.00071). llama.cpp itself multiplies by 0.1 ln(factor) + 1. */
  private void yarn(RopeScaling.Yarn scaling) {
    if (!scaling.truncate()) {
      throw new ExportException(
          "yarn rope has \"truncate\": false; llama.cpp's ramp begins and ends at whole pairs");
    }
    factor("yarn", scaling.factor());
    metadata.u32(prefix + "scaling.original_context_length", scaling.original());
    metadata.f32(prefix + "scaling.yarn_beta_fast", scaling.fast());
    metadata.f32(prefix + "scaling.yarn_beta_slow", scaling.slow());
    double byItself = RopeScaling.Yarn.defaultAttentionFactor(scaling.factor(), 1);
    if (scaling.attentionFactor() != byItself) {
      metadata.f32(prefix + "scaling.attn_factor", scaling.attentionFactor() / byItself);
    }
  }

  /** LongRoPE (arXiv:2402.13753). */
  private void longRope(RopeScaling.LongRope scaling) {
    require(Architecture.PHI3, "longrope");
    metadata.u32(prefix + "scaling.original_context_length", scaling.original());
    metadata.f32(prefix + "scaling.attn_factor", scaling.attentionFactor());
    tensors.add(GgufTensor.vector("rope_factors_long.weight", floats(scaling.longFactors())));
    tensors.add(GgufTensor.vector("rope_factors_short.weight", floats(scaling.shortFactors())));
    warnings.add(
        "llama.cpp takes the long rope factors where its context is set to more than %d tokens, transformers where the text is longer"
            .formatted(scaling.original()));
  }

  private static float[] floats(List<Double> values) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values.get(i).floatValue();
    }
    return floats;
  }
}
