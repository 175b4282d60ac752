package dev.nibble.examples.wordnet;

import dev.nibble.examples.ProgramException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Reads the data files of a WordNet 3 database (its manual page wndb(5WN)). A line is
 *
 * <pre>offset lex_filenum ss_type w_cnt word lex_id [word lex_id ...] p_cnt [pointers ...] | gloss
 * </pre>
 *
 * with {@code w_cnt} in hexadecimal and underscores for spaces in words; lines of the licence begin
 * with two spaces.
 */
final class WordNet {
  private static final List<String> FILES =
      List.of("data.noun", "data.verb", "data.adj", "data.adv");
  private static final Pattern OFFSET = Pattern.compile("\\d{8}");

  /** How an adjective says where it may stand: {@code (a)}, {@code (p)} or {@code (ip)}. */
  private static final Pattern MARKER = Pattern.compile("\\((a|p|ip)\\)$");

  private WordNet() {}

  /**
   * All synsets: nouns, verbs, adjectives, adverbs, each in the order of its file.
   *
   * @throws ProgramException when a file is missing, or a line is not as the manual says
   */
  static List<Synset> read(Path folder) throws IOException {
    for (String file : FILES) {
      if (!Files.isRegularFile(folder.resolve(file))) {
        throw new ProgramException(
            "%s is no WordNet folder: it has no %s. Debian's package wordnet-base puts one at /usr/share/wordnet"
                .formatted(folder, file));
      }
    }
    List<Synset> synsets = new ArrayList<>();
    for (String file : FILES) {
      read(folder.resolve(file), synsets);
    }
    return synsets;
  }

  private static void read(Path file, List<Synset> synsets) throws IOException {
    try (BufferedReader reader = Files.newBufferedReader(file)) {
      int number = 0;
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        number++;
        if (!line.startsWith("  ")) {
          synsets.add(synset(line, file + ":" + number));
        }
      }
    }
  }

  private static Synset synset(String line, String place) {
    int bar = line.indexOf(" | ");
    String[] fields = (bar < 0 ? line : line.substring(0, bar)).split(" ", -1);
    if (bar < 0 || fields.length < 6 || !OFFSET.matcher(fields[0]).matches()) {
      throw malformed(place, "'offset lex_filenum ss_type w_cnt word lex_id ... | gloss'", line);
    }
    int category = number(fields[1], 10, place, "a lexicographer file number");
    if (category >= Categories.NAMES.size()) {
      throw malformed(place, "a lexicographer file number from 00 to 44", fields[1]);
    }
    int words = number(fields[3], 16, place, "a hexadecimal word count");
    if (fields.length < 4 + 2 * words) {
      throw malformed(place, words + " words", line);
    }
    List<String> lemmas = new ArrayList<>(words);
    for (int i = 0; i < words; i++) {
      lemmas.add(MARKER.matcher(fields[4 + 2 * i]).replaceFirst("").replace('_', ' '));
    }
    Gloss gloss = Gloss.parse(line.substring(bar + 3));
    return new Synset(
        fields[0] + "-" + fields[2],
        Categories.NAMES.get(category),
        lemmas,
        gloss.definition(),
        gloss.examples());
  }

  private static int number(String text, int radix, String place, String expected) {
    try {
      return Integer.parseUnsignedInt(text, radix);
    } catch (NumberFormatException e) {
      throw malformed(place, expected, text);
    }
  }

  private static ProgramException malformed(String place, String expected, String got) {
    String start = got.length() > 80 ? got.substring(0, 80) + "..." : got;
    return new ProgramException(
        "%s: expected %s, got '%s'. Is this a WordNet 3 database?"
            .formatted(place, expected, start));
  }
}
