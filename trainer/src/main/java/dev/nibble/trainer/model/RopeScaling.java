package dev.nibble.trainer.model;

/**
 * How rotary frequencies are stretched for longer contexts. All arithmetic is float32, as
 * transformers has it.
 */
sealed interface RopeScaling {

  /** The frequency to use in place of {@code frequency} = theta^(-2i/D). */
  float apply(float frequency);

  /** As trained. */
  record None() implements RopeScaling {
    @Override
    public float apply(float frequency) {
      return frequency;
    }
  }

  /** Position interpolation (arXiv:2306.15595): all frequencies divided by {@code factor}. */
  record Linear(double factor) implements RopeScaling {
    @Override
    public float apply(float frequency) {
      return frequency / (float) factor;
    }
  }

  /**
   * Llama 3.1: wavelengths above original/low are divided by {@code factor}, those below
   * original/high stay, and those between are blended.
   *
   * @param original positions of the first training
   */
  record Llama3(double factor, double low, double high, int original) implements RopeScaling {
    @Override
    public float apply(float frequency) {
      float wavelength = (float) (2 * Math.PI) / frequency;
      if (wavelength > original / low) {
        return frequency / (float) factor;
      }
      if (wavelength < original / high) {
        return frequency;
      }
      float smooth = (original / wavelength - (float) low) / (float) (high - low);
      return (1 - smooth) * frequency / (float) factor + smooth * frequency;
    }
  }

  /** Reads {@code rope_parameters} (transformers 5) or {@code rope_scaling} (transformers 4). */
  static RopeScaling read(ConfigJson rope) {
    String key = rope.has("rope_type") || !rope.has("type") ? "rope_type" : "type";
    return switch (rope.text(key, "default")) {
      case "default" -> new None();
      case "linear" -> new Linear(rope.positiveNumber("factor"));
      case "llama3" ->
          new Llama3(
              rope.positiveNumber("factor"),
              rope.positiveNumber("low_freq_factor"),
              rope.positiveNumber("high_freq_factor"),
              rope.positive("original_max_position_embeddings"));
      default -> throw rope.wrong(key, "default, linear, llama3");
    };
  }
}
