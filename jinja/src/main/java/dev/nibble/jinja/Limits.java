package dev.nibble.jinja;

/**
 * Limits of one rendering.
 *
 * @param steps evaluations; work on long texts and lists counts in proportion
 * @param text characters of one text, the output among them
 * @param depth of calls and nested expressions
 */
record Limits(long steps, int text, int depth) {
  /** Far more than any conversation that fits into a model needs. */
  static final Limits STANDARD = new Limits(10_000_000, 1 << 24, 400);

  /** The longest range, as in Jinja2's sandbox. */
  static final int RANGE = 100_000;
}
