package dev.nibble.data.samples;

import dev.nibble.data.Sample;
import dev.nibble.data.chat.Shortfall;
import java.util.Set;

/** Result of making a sample of a row. */
public sealed interface SampleOutcome {
  /**
   * A sample to train on.
   *
   * @param truncated whether its end was cut off
   * @param shortfalls what of its answers is not learned though the row has it
   */
  record Kept(Sample sample, boolean truncated, Set<Shortfall> shortfalls)
      implements SampleOutcome {
    public Kept {
      shortfalls = Set.copyOf(shortfalls);
    }
  }

  /**
   * Left out, being longer than the sequence length.
   *
   * @param tokens its length
   */
  record TooLong(int tokens) implements SampleOutcome {}

  /**
   * Left out, since no token would be supervised.
   *
   * @param shortfalls what of its answers is not learned though the row has it
   */
  record Unsupervised(Set<Shortfall> shortfalls) implements SampleOutcome {
    public Unsupervised {
      shortfalls = Set.copyOf(shortfalls);
    }
  }
}
