package dev.nibble.trainer.model.config;

import java.util.List;

/**
 * How rotary frequencies are stretched for longer contexts. Arithmetic is float32 where
 * transformers has it so. Some depend on the longest sample of a batch: transformers takes the
 * largest position of the whole batch, and while generating that of the current pass, so that keys
 * that are cached already keep the rotation they had.
 */
public sealed interface RopeScaling {

  /**
   * The frequency of each pair, theta^(-2i/d) before stretching.
   *
   * @param d elements that are rotated
   * @param length tokens of the longest sample
   */
  float[] frequencies(double theta, int d, int length);

  /** The factor of cosines and sines. */
  default double attentionFactor() {
    return 1;
  }

  /**
   * A length that has the same frequencies as this one: equal for lengths that may share tables.
   */
  default int representative(int length) {
    return 0;
  }

  /** True when keys rotated for one length cannot be used beside those of the other. */
  default boolean forgetsCache(int before, int after) {
    return false;
  }

  /** theta^(2i/d). */
  private static float[] wavelengths(double theta, int d) {
    float[] w = new float[d / 2];
    for (int i = 0; i < w.length; i++) {
      w[i] = (float) Math.pow((float) theta, 2f * i / d);
    }
    return w;
  }

  private static float[] inverse(float[] wavelengths) {
    float[] f = new float[wavelengths.length];
    for (int i = 0; i < f.length; i++) {
      f[i] = 1 / wavelengths[i];
    }
    return f;
  }

  /** As trained. */
  record None() implements RopeScaling {
    @Override
    public float[] frequencies(double theta, int d, int length) {
      return inverse(wavelengths(theta, d));
    }
  }

  /** Position interpolation (arXiv:2306.15595): all frequencies divided by {@code factor}. */
  record Linear(double factor) implements RopeScaling {
    @Override
    public float[] frequencies(double theta, int d, int length) {
      float[] f = inverse(wavelengths(theta, d));
      for (int i = 0; i < f.length; i++) {
        f[i] /= (float) factor;
      }
      return f;
    }
  }

  /**
   * Dynamic NTK: samples longer than {@code trained} take the base theta * (factor * length /
   * trained - (factor - 1))^(d / (d - 2)).
   */
  record Dynamic(double factor, int trained) implements RopeScaling {
    @Override
    public float[] frequencies(double theta, int d, int length) {
      double stretch = factor * Math.max(length, trained) / trained - (factor - 1);
      return inverse(wavelengths(theta * Math.pow(stretch, d / (d - 2.0)), d));
    }

    @Override
    public int representative(int length) {
      return length <= trained ? 0 : length;
    }
  }

  /**
   * Llama 3.1 (arXiv:2407.21783): wavelengths above original/low are divided by {@code factor},
   * those below original/high stay, and those between are blended.
   *
   * @param original positions of the first training
   */
  record Llama3(double factor, double low, double high, int original) implements RopeScaling {
    @Override
    public float[] frequencies(double theta, int d, int length) {
      float[] f = inverse(wavelengths(theta, d));
      for (int i = 0; i < f.length; i++) {
        f[i] = scaled(f[i]);
      }
      return f;
    }

    private float scaled(float frequency) {
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

  /**
   * YaRN (arXiv:2309.00071): pairs that rotate more than {@code fast} times within {@code original}
   * positions stay, those that rotate less than {@code slow} times are divided by {@code factor},
   * with a ramp between.
   *
   * @param truncate the ramp begins and ends at whole pairs
   */
  record Yarn(
      double factor,
      double attentionFactor,
      double fast,
      double slow,
      int original,
      boolean truncate)
      implements RopeScaling {

    @Override
    public float[] frequencies(double theta, int d, int length) {
      double low = pairRotating(fast, theta, d);
      double high = pairRotating(slow, theta, d);
      if (truncate) {
        low = Math.floor(low);
        high = Math.ceil(high);
      }
      low = Math.max(low, 0);
      high = Math.min(high, d - 1.0);
      if (low == high) {
        high += 0.001;
      }
      float[] w = wavelengths(theta, d);
      for (int i = 0; i < w.length; i++) {
        float ramp = Math.clamp((i - (float) low) / (float) (high - low), 0f, 1f);
        w[i] = 1 / ((float) factor * w[i]) * ramp + 1 / w[i] * (1 - ramp);
      }
      return w;
    }

    /** The index, between pairs, of a pair that rotates so often. */
    private double pairRotating(double rotations, double theta, int d) {
      return d * Math.log(original / (rotations * 2 * Math.PI)) / (2 * Math.log(theta));
    }

    /** The factor that the paper gives cosines and sines. */
    public static double defaultAttentionFactor(double factor, double mscale) {
      return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
    }
  }

  /**
   * LongRoPE (arXiv:2402.13753): each frequency divided by its own factor, of one list for samples
   * up to {@code original} tokens and of another for longer ones.
   */
  record LongRope(
      List<Double> shortFactors, List<Double> longFactors, double attentionFactor, int original)
      implements RopeScaling {

    @Override
    public float[] frequencies(double theta, int d, int length) {
      List<Double> factors = length > original ? longFactors : shortFactors;
      float[] w = wavelengths(theta, d);
      for (int i = 0; i < w.length; i++) {
        w[i] = 1 / (factors.get(i).floatValue() * w[i]);
      }
      return w;
    }

    @Override
    public int representative(int length) {
      return length <= original ? 0 : original + 1;
    }

    @Override
    public boolean forgetsCache(int before, int after) {
      return representative(before) != representative(after);
    }
  }
}
