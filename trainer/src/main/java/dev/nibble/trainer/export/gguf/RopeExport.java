package dev.nibble.trainer.export.gguf;

import java.util.List;
import java.util.Optional;

/** Rotary embedding in GGUF's terms: metadata, and tensors that frequencies are divided by. */
final class RopeExport {
  private final ModelConfig model;
  private final JsonFile scaling;
  private final String prefix;
  private final GgufMetadata metadata;
  private final List<GgufTensor> tensors;
  private final List<String> warnings;

  private RopeExport(
      ModelConfig model,
      JsonFile scaling,
      GgufMetadata metadata,
      List<GgufTensor> tensors,
      List<String> warnings) {
    this.model = model;
    this.scaling = scaling;
    this.prefix = model.architecture().id() + ".rope.";
    this.metadata = metadata;
    this.tensors = tensors;
    this.warnings = warnings;
  }

  /** Reads {@code rope_parameters} (transformers 5) or {@code rope_scaling} (transformers 4). */
  static void add(
      ModelConfig model, GgufMetadata metadata, List<GgufTensor> tensors, List<String> warnings) {
    JsonFile config = model.json();
    Optional<JsonFile> rope =
        config.object("rope_parameters").or(() -> config.object("rope_scaling"));
    boolean gemma3 = model.architecture() == Architecture.GEMMA3;
    double theta = config.number("rope_theta", gemma3 ? 1e6 : 1e4);
    Optional<JsonFile> global = rope.flatMap(r -> r.object("full_attention")).or(() -> rope);
    String prefix = model.architecture().id() + ".rope.";
    double base = global.map(r -> r.number("rope_theta", theta)).orElse(theta);
    metadata.f32(prefix + "freq_base", base);
    if (gemma3) {
      double local = config.number("rope_local_base_freq", 1e4);
      Optional<JsonFile> sliding = rope.flatMap(r -> r.object("sliding_attention"));
      sliding.ifPresent(RopeExport::requireUnscaled);
      metadata.f32(
          prefix + "freq_base_swa", sliding.map(r -> r.number("rope_theta", local)).orElse(local));
    }
    new RopeExport(model, global.orElse(config), metadata, tensors, warnings)
        .add(global.isPresent() ? type(global.get()) : "default", base);
  }

  private static String type(JsonFile rope) {
    return rope.text("rope_type", rope.text("type", "default"));
  }

  private static void requireUnscaled(JsonFile rope) {
    if (!type(rope).equals("default")) {
      throw rope.wrong("rope_type", "default");
    }
  }

  private void add(String type, double base) {
    int size = rotatedSize();
    metadata.u32(prefix + "dimension_count", size);
    boolean phi3 = model.architecture() == Architecture.PHI3;
    switch (type) {
      case "default" -> {}
      case "linear" -> factor("linear", scaling.number("factor"));
      case "dynamic" ->
          warnings.add(
              "dynamic rope scaling is left out: GGUF has none; texts of up to %d tokens are the same"
                  .formatted(model.maxPositions()));
      case "llama3" -> llama3(base, size);
      case "yarn" -> {
        if (phi3) {
          longRope(size); // what Phi-3 called it first
        } else {
          yarn();
        }
      }
      case "longrope", "su" -> longRope(size);
      default ->
          throw scaling.wrong("rope_type", "default, dynamic, linear, llama3, longrope, yarn");
    }
  }

  /** How many elements of a head are rotated. */
  private int rotatedSize() {
    String key = "partial_rotary_factor";
    double share = scaling.number(key, model.json().number(key, 1));
    if (share != 1 && model.architecture() != Architecture.PHI3) {
      throw scaling.wrong(key, "1 for " + model.architecture().id());
    }
    return (int) (model.headSize() * share);
  }

  private void factor(String type, double factor) {
    metadata.text(prefix + "scaling.type", type).f32(prefix + "scaling.factor", factor);
  }

  /** Positions of the first training. */
  private int original() {
    String key = "original_max_position_embeddings";
    return scaling.positive(key, model.json().positive(key, model.maxPositions()));
  }

  /**
   * Llama 3.1: wavelengths above original / low_freq_factor are stretched by factor, those below
   * original / high_freq_factor are not, and those between are blended.
   */
  private void llama3(double base, int size) {
    if (model.architecture() != Architecture.LLAMA) {
      throw scaling.wrong("rope_type", "for model_type llama alone: llama3");
    }
    double factor = scaling.number("factor");
    double low = scaling.number("low_freq_factor");
    double high = scaling.number("high_freq_factor");
    int original = original();
    float[] divisors = new float[size / 2];
    for (int i = 0; i < divisors.length; i++) {
      double wavelength = 2 * Math.PI * Math.pow(base, 2.0 * i / size);
      double smooth = (original / wavelength - low) / (high - low);
      if (wavelength > original / low) {
        divisors[i] = (float) factor;
      } else if (wavelength < original / high) {
        divisors[i] = 1;
      } else {
        divisors[i] = (float) (1 / ((1 - smooth) / factor + smooth));
      }
    }
    tensors.add(GgufTensor.vector("rope_freqs.weight", divisors));
  }

  /** YaRN (arXiv:2309.00071). llama.cpp itself multiplies by 0.1 ln(factor) + 1. */
  private void yarn() {
    if (!scaling.flag("truncate", true)) {
      throw scaling.wrong("truncate", "true");
    }
    double factor = scaling.number("factor");
    factor("yarn", factor);
    metadata.u32(prefix + "scaling.original_context_length", original());
    metadata.f32(prefix + "scaling.yarn_beta_fast", scaling.number("beta_fast", 32));
    metadata.f32(prefix + "scaling.yarn_beta_slow", scaling.number("beta_slow", 1));
    double byItself = mscale(factor, 1);
    double wanted = byItself;
    if (scaling.has("attention_factor")) {
      wanted = scaling.number("attention_factor");
    } else if (scaling.has("mscale") && scaling.has("mscale_all_dim")) {
      wanted =
          mscale(factor, scaling.number("mscale"))
              / mscale(factor, scaling.number("mscale_all_dim"));
    }
    if (wanted != byItself) {
      metadata.f32(prefix + "scaling.attn_factor", wanted / byItself);
    }
  }

  private static double mscale(double factor, double weight) {
    return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
  }

  /** LongRoPE (arXiv:2402.13753). */
  private void longRope(int size) {
    if (model.architecture() != Architecture.PHI3) {
      throw scaling.wrong("rope_type", "for model_type phi3 alone: longrope");
    }
    int original = original();
    double factor = scaling.number("factor", (double) model.maxPositions() / original);
    double byDefault = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
    metadata.u32(prefix + "scaling.original_context_length", original);
    metadata.f32(prefix + "scaling.attn_factor", scaling.number("attention_factor", byDefault));
    tensors.add(
        GgufTensor.vector("rope_factors_long.weight", scaling.numbers("long_factor", size / 2)));
    tensors.add(
        GgufTensor.vector("rope_factors_short.weight", scaling.numbers("short_factor", size / 2)));
    warnings.add(
        "llama.cpp takes the long rope factors where its context is set to more than %d tokens, transformers where the text is longer"
            .formatted(original));
  }
}
