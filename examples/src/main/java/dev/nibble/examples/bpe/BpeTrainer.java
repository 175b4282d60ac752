package dev.nibble.examples.bpe;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;

/**
 * Learns byte-pair merges (Sennrich et al. 2016, arXiv:1508.07909): again and again the most
 * frequent pair of neighbouring tokens becomes a token. Of equally frequent pairs the one with the
 * smaller ids wins, so the result depends on the texts alone and not on their order.
 */
public final class BpeTrainer {
  private final Map<String, Long> pieces = new TreeMap<>();

  /** Counts the pieces of {@code text}. */
  public void add(String text) {
    ByteLevel.pieces(text).forEach(p -> pieces.merge(p, 1L, Long::sum));
  }

  /**
   * The encoding of the texts added so far. It has fewer than {@code vocabularySize} tokens when no
   * pair is left that occurs twice.
   *
   * @param special special tokens, in the order of their ids
   * @throws IllegalArgumentException when there is no room for the special tokens and the 256 bytes
   */
  public Bpe train(int vocabularySize, List<String> special) {
    int base = special.size() + 256;
    if (vocabularySize < base) {
      throw new IllegalArgumentException(
          "a vocabulary of %d cannot hold %d special tokens and 256 bytes"
              .formatted(vocabularySize, special.size()));
    }
    List<String> vocabulary = new ArrayList<>(special);
    vocabulary.addAll(ByteLevel.alphabet());
    List<Bpe.Merge> merges = new ArrayList<>();
    Pairs pairs = new Pairs(words(vocabulary, special.size()));
    while (vocabulary.size() < vocabularySize) {
      Candidate best = pairs.mostFrequent();
      if (best.count() < 2) {
        break;
      }
      String left = vocabulary.get(best.left());
      String right = vocabulary.get(best.right());
      merges.add(new Bpe.Merge(left, right));
      pairs.merge(best, vocabulary.size());
      vocabulary.add(left + right);
    }
    return new Bpe(special, vocabulary, merges);
  }

  private List<Word> words(List<String> vocabulary, int firstLetter) {
    Map<String, Integer> ids = new HashMap<>();
    for (int id = firstLetter; id < vocabulary.size(); id++) {
      ids.put(vocabulary.get(id), id);
    }
    List<Word> words = new ArrayList<>(pieces.size());
    pieces.forEach((piece, count) ->
        words.add(
            new Word(
                ByteLevel.letters(piece)
                    .chars()
                    .map(c -> Objects.requireNonNull(ids.get(Character.toString(c))))
                    .toArray(),
                count)));
    return words;
  }

  /** A pair of token ids and how often it occurs. */
  private record Candidate(int left, int right, long count) {
    /** The most frequent first, then the smaller ids. */
    static final Comparator<Candidate> ORDER =
        Comparator.comparingLong(Candidate::count)
            .reversed()
            .thenComparingInt(Candidate::left)
            .thenComparingInt(Candidate::right);

    long key() {
      return key(left, right);
    }

    static long key(int left, int right) {
      return (long) left << 32 | right;
    }

    static Candidate of(long key, long count) {
      return new Candidate((int) (key >>> 32), (int) key, count);
    }
  }

  /**
   * A piece of text as token ids, the first {@code length} of {@code ids}, and how often it occurs.
   */
  private static final class Word {
    private final int[] ids;
    private final long count;
    private int length;

    Word(int[] ids, long count) {
      this.ids = ids;
      this.count = count;
      this.length = ids.length;
    }

    long pair(int i) {
      return Candidate.key(ids[i], ids[i + 1]);
    }

    void merge(int left, int right, int merged) {
      int to = 0;
      for (int from = 0; from < length; from++) {
        if (from + 1 < length && ids[from] == left && ids[from + 1] == right) {
          ids[to++] = merged;
          from++;
        } else {
          ids[to++] = ids[from];
        }
      }
      length = to;
    }
  }

  /** Counts of all pairs, and the words each occurs in. */
  private static final class Pairs {
    private final Map<Long, Long> counts = new HashMap<>();
    private final Map<Long, List<Word>> words = new HashMap<>();

    /** May hold outdated counts; {@link #mostFrequent} renews those it meets. */
    private final PriorityQueue<Candidate> heap = new PriorityQueue<>(Candidate.ORDER);

    Pairs(List<Word> all) {
      for (Word w : all) {
        for (int i = 0; i + 1 < w.length; i++) {
          add(w, i, w.count);
          remember(w, i);
        }
      }
      counts.forEach((key, count) -> heap.add(Candidate.of(key, count)));
    }

    /** Count 0 when no pair is left. */
    Candidate mostFrequent() {
      while (!heap.isEmpty()) {
        Candidate top = heap.poll();
        long now = counts.getOrDefault(top.key(), 0L);
        if (now == top.count()) {
          return top;
        }
        if (now > 0 && now < top.count()) {
          heap.add(Candidate.of(top.key(), now));
        }
      }
      return new Candidate(0, 0, 0);
    }

    void merge(Candidate pair, int merged) {
      Set<Long> grown = new HashSet<>();
      List<Word> affected = words.getOrDefault(pair.key(), List.of());
      words.remove(pair.key());
      for (Word w : affected) {
        for (int i = 0; i + 1 < w.length; i++) {
          add(w, i, -w.count);
        }
        w.merge(pair.left(), pair.right(), merged);
        for (int i = 0; i + 1 < w.length; i++) {
          add(w, i, w.count);
          if (w.ids[i] == merged || w.ids[i + 1] == merged) {
            remember(w, i);
            grown.add(w.pair(i));
          }
        }
      }
      grown.forEach(key -> heap.add(Candidate.of(key, counts.getOrDefault(key, 0L))));
    }

    private void add(Word w, int i, long count) {
      counts.merge(w.pair(i), count, Long::sum);
    }

    private void remember(Word w, int i) {
      List<Word> found = words.computeIfAbsent(w.pair(i), k -> new ArrayList<>());
      if (found.isEmpty() || found.getLast() != w) {
        found.add(w);
      }
    }
  }
}
