package dev.nibble.data.samples;

/**
 * Counts of what became of the rows of a dataset: {@code rows = kept + tooLong + unsupervised +
 * bad}.
 *
 * @param rows rows read
 * @param kept samples to train on
 * @param truncated samples among them whose end was cut off
 * @param tooLong rows left out for their length
 * @param unsupervised rows left out because no token would be supervised
 * @param tokens tokens of the kept samples
 * @param supervisedTokens tokens among them that the loss is computed on
 * @param longest length of the longest kept sample
 * @param bad rows left out because they cannot be used
 * @param shortfalls rows of whose answers less is learned than they have
 */
public record DataReport(
    long rows,
    long kept,
    long truncated,
    long tooLong,
    long unsupervised,
    long tokens,
    long supervisedTokens,
    int longest,
    BadRows bad,
    Shortfalls shortfalls) {
  /** A report of nothing. */
  public static final DataReport NONE =
      new DataReport(0, 0, 0, 0, 0, 0, 0, 0, BadRows.NONE, Shortfalls.NONE);

  /** One sentence for the log. */
  public String summary() {
    StringBuilder s =
        new StringBuilder(
            "%,d row%s, %,d sample%s, %,d tokens (%,d trained on), longest sample %,d tokens"
                .formatted(
                    rows,
                    rows == 1 ? "" : "s",
                    kept,
                    kept == 1 ? "" : "s",
                    tokens,
                    supervisedTokens,
                    longest));
    part(s, tooLong, "too long, left out");
    part(s, unsupervised, "with nothing to train on, left out");
    part(s, truncated, "cut to the largest length");
    part(s, bad.count(), "bad, left out");
    return s.toString();
  }

  private static void part(StringBuilder s, long count, String what) {
    if (count > 0) {
      s.append("; %,d %s".formatted(count, what));
    }
  }
}
