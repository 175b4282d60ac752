package dev.nibble.data;

import java.util.Arrays;
import java.util.List;

/**
 * One micro-batch: samples one after another in one row of N tokens, without padding.
 *
 * @param tokens [N] token ids
 * @param targets [N]: the token to predict after position i, or {@link #IGNORE}. Already shifted,
 *     within each sample
 * @param positions [N]: 0, 1, 2, … anew in each sample
 * @param starts [S+1]: where each sample starts; the last entry is N
 * @param places [S]: file and row that each sample comes from; empty where nobody knows
 */
@SuppressWarnings("ArrayRecordComponent") // hot and read-only; compared by identity only
public record Batch(
    int[] tokens, int[] targets, int[] positions, int[] starts, List<String> places) {
  /** The target of a position that is not supervised. */
  public static final int IGNORE = -100;

  /** Copies the places. */
  public Batch {
    places = List.copyOf(places);
  }

  /** A batch whose samples come from nowhere in particular. */
  public Batch(int[] tokens, int[] targets, int[] positions, int[] starts) {
    this(tokens, targets, positions, starts, List.of());
  }

  /** Lays samples one after another. */
  public static Batch of(List<Sample> samples) {
    int n = samples.stream().mapToInt(Sample::length).sum();
    int[] tokens = new int[n];
    int[] targets = new int[n];
    int[] positions = new int[n];
    int[] starts = new int[samples.size() + 1];
    int at = 0;
    for (int s = 0; s < samples.size(); s++) {
      Sample sample = samples.get(s);
      starts[s] = at;
      for (int i = 0; i < sample.length(); i++, at++) {
        tokens[at] = sample.tokens()[i];
        positions[at] = i;
        boolean last = i + 1 == sample.length();
        targets[at] = !last && sample.supervised()[i + 1] ? sample.tokens()[i + 1] : IGNORE;
      }
    }
    starts[samples.size()] = n;
    return new Batch(tokens, targets, positions, starts);
  }

  /** The same batch, whose samples come from these places. */
  public Batch from(List<String> samplePlaces) {
    return new Batch(tokens, targets, positions, starts, samplePlaces);
  }

  /** {@code count} samples from sample {@code first} on, as a batch of their own. */
  public Batch part(int first, int count) {
    int from = starts[first];
    int to = starts[first + count];
    int[] own = Arrays.copyOfRange(starts, first, first + count + 1);
    for (int s = 0; s < own.length; s++) {
      own[s] -= from;
    }
    return new Batch(
        Arrays.copyOfRange(tokens, from, to),
        Arrays.copyOfRange(targets, from, to),
        Arrays.copyOfRange(positions, from, to),
        own,
        places.isEmpty() ? places : places.subList(first, first + count));
  }

  /** Number of tokens N. */
  public int length() {
    return tokens.length;
  }

  /** Number of samples S. */
  public int samples() {
    return starts.length - 1;
  }

  /** Number of positions with a target. */
  public int supervisedTokens() {
    int n = 0;
    for (int t : targets) {
      n += t == IGNORE ? 0 : 1;
    }
    return n;
  }

  /** The batch's first tokens, at most so many; the last sample may be cut. */
  public Batch first(int most) {
    if (most >= length()) {
      return this;
    }
    int samples = 0;
    while (starts[samples] < most) {
      samples++;
    }
    int[] kept = Arrays.copyOf(starts, samples + 1);
    kept[samples] = most;
    return new Batch(
        Arrays.copyOf(tokens, most),
        Arrays.copyOf(targets, most),
        Arrays.copyOf(positions, most),
        kept,
        places.isEmpty() ? places : places.subList(0, samples));
  }
}
