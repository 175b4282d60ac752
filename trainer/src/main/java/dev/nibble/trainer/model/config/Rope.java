package dev.nibble.trainer.model.config;

/**
 * The rotary embedding of a layer (arXiv:2104.09864): the first {@code rotated} elements of each
 * head are rotated, those behind them stay.
 *
 * @param theta base of the frequencies
 * @param rotated an even number, at most D
 */
public record Rope(double theta, int rotated, RopeScaling scaling) {
  /** Names of the kinds of layers in config.json. */
  static final String FULL = "full_attention";

  static final String SLIDING = "sliding_attention";

  /**
   * Angle for each position, of each of the rotated / 2 pairs; {@code length} as in {@link
   * RopeScaling}.
   */
  public float[] frequencies(int length) {
    return scaling.frequencies(theta, rotated, length);
  }
}
