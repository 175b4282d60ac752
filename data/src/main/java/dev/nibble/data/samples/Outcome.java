package dev.nibble.data.samples;

import dev.nibble.data.Sample;

/** Result of making a sample of a row. */
public sealed interface Outcome {
  /**
   * A sample to train on.
   *
   * @param truncated whether its end was cut off
   */
  record Kept(Sample sample, boolean truncated) implements Outcome {}

  /**
   * Left out, being longer than the sequence length.
   *
   * @param tokens its length
   */
  record TooLong(int tokens) implements Outcome {}

  /** Left out, since no token would be supervised. */
  record Unsupervised() implements Outcome {}
}
