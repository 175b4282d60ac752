package dev.nibble.examples.wordnet;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Synsets in three parts, each in the order of a seeded hash of the synset's id, so that any first
 * n rows of a part are a random sample. A synset that shares its definition with another one is
 * always in {@code train}: no definition of {@code test} or {@code validation} occurs anywhere
 * else.
 */
record Split(List<Synset> train, List<Synset> validation, List<Synset> test) {

  static Split of(List<Synset> synsets, int validationSize, int testSize, long seed) {
    Map<String, Integer> uses = new HashMap<>();
    synsets.forEach(s -> uses.merge(normal(s.definition()), 1, Integer::sum));
    record Ranked(String hash, Synset synset) {}
    List<Synset> train = new ArrayList<>();
    List<Synset> validation = new ArrayList<>();
    List<Synset> test = new ArrayList<>();
    synsets.stream()
        .map(s -> new Ranked(hash(seed + ":" + s.id()), s))
        .sorted(Comparator.comparing(Ranked::hash))
        .map(Ranked::synset)
        .forEachOrdered(s -> {
          if (uses.getOrDefault(normal(s.definition()), 0) > 1) {
            train.add(s);
          } else if (test.size() < testSize) {
            test.add(s);
          } else if (validation.size() < validationSize) {
            validation.add(s);
          } else {
            train.add(s);
          }
        });
    return new Split(List.copyOf(train), List.copyOf(validation), List.copyOf(test));
  }

  /**
   * The plain text of {@code train}: {@code lemma, lemma: definition; example; example}. Example
   * sentences that a held-out synset has too are left out.
   */
  List<String> text() {
    Set<String> heldOut = new HashSet<>();
    validation.forEach(s -> heldOut.addAll(s.examples()));
    test.forEach(s -> heldOut.addAll(s.examples()));
    return train.stream().map(s -> text(s, heldOut)).toList();
  }

  private static String text(Synset s, Set<String> heldOut) {
    StringBuilder text = new StringBuilder(String.join(", ", s.lemmas()));
    text.append(": ").append(s.definition());
    s.examples().stream()
        .filter(e -> !heldOut.contains(e))
        .forEach(e -> text.append("; ").append(e));
    return text.toString();
  }

  private static String normal(String definition) {
    return definition.toLowerCase(Locale.ROOT);
  }

  private static String hash(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }
}
