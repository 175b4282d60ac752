package dev.nibble.examples.wordnet;

import dev.nibble.examples.Program;
import dev.nibble.examples.ProgramException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes the quickstart's data from WordNet. The same WordNet gives the same rows, in the same
 * order.
 */
public final class PrepareWordnet {
  /** The column of the same value in every row; {@link #CATEGORY_COLUMNS} names all four. */
  static final String QUESTION = "Which category?";

  static final List<String> CATEGORY_COLUMNS = List.of("instruction", "input", "output", "synset");
  static final int TEST_ROWS = 2_000;
  static final int VALIDATION_ROWS = 1_000;
  private static final long SEED = 2006;
  private static final String LICENSE = "WordNet 3.0 license, see LICENSE.wordnet";

  private static final String HELP =
      """
      Makes instruction rows and pretraining text from WordNet.

      Usage: PrepareWordnet WORDNET OUT
        WORDNET  folder with data.noun, data.verb, data.adj and data.adv of WordNet 3.0
                 (/usr/share/wordnet where Debian's package wordnet-base is installed)
        OUT      new folder for the two datasets:
                 categories/  train, validation (1,000 rows) and test (2,000 rows), by synset;
                              columns instruction, input (definition), output (category), synset
                 pretrain/    column text: the lemmas, definition and example sentences of
                              each train synset, and nothing of the other two splits

      Both are folders in Arrow format that Python's datasets.load_from_disk reads, too.\
      """;

  private PrepareWordnet() {}

  /** See {@code --help}. */
  public static void main(String[] args) {
    Program.main(args, HELP, 2, a -> prepare(Path.of(a.get(0)), Path.of(a.get(1))));
  }

  /** Reads {@code wordnet} and writes both datasets to {@code out}, which must not exist. */
  static void prepare(Path wordnet, Path out) throws IOException {
    if (Files.exists(out)) {
      throw new ProgramException(out + " exists. Name a new folder, or delete this one first");
    }
    List<Synset> synsets = WordNet.read(wordnet);
    Split split = Split.of(synsets, VALIDATION_ROWS, TEST_ROWS, SEED);
    if (split.train().isEmpty()) {
      throw new ProgramException(
          "%s has %d synsets; test and validation alone take %d"
              .formatted(wordnet, synsets.size(), TEST_ROWS + VALIDATION_ROWS));
    }
    Path unfinished = out.resolveSibling(out.getFileName() + ".unfinished");
    write(split, unfinished);
    Files.move(unfinished, out);
    System.out.printf(
        "%s: %d synsets in %d categories: %d train, %d validation, %d test%n",
        out,
        synsets.size(),
        synsets.stream().map(Synset::category).distinct().count(),
        split.train().size(),
        split.validation().size(),
        split.test().size());
  }

  private static void write(Split split, Path folder) throws IOException {
    Map<String, Table> splits = new LinkedHashMap<>();
    splits.put("train", rows(split.train()));
    splits.put("validation", rows(split.validation()));
    splits.put("test", rows(split.test()));
    SavedDataset.writeSplits(
        folder.resolve("categories"), splits, "WordNet 3.0 definitions and categories", LICENSE);

    Table text = new Table(List.of("text"), split.text().stream().map(List::of).toList());
    SavedDataset.write(
        folder.resolve("pretrain"), "train", text, "WordNet 3.0 as plain text", LICENSE);
  }

  private static Table rows(List<Synset> synsets) {
    return new Table(
        CATEGORY_COLUMNS,
        synsets.stream()
            .map(s -> List.of(QUESTION, s.definition(), s.category(), s.id()))
            .toList());
  }
}
