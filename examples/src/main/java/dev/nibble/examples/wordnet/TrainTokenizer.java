package dev.nibble.examples.wordnet;

import dev.nibble.examples.Program;
import dev.nibble.examples.bpe.Bpe;
import dev.nibble.examples.bpe.BpeTrainer;
import dev.nibble.examples.bpe.TokenizerFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Trains the tokenizer of the quickstart's base model on the train rows that {@link PrepareWordnet}
 * made.
 */
public final class TrainTokenizer {
  static final String END = "<|endoftext|>";
  static final String PAD = "<|pad|>";
  static final int VOCABULARY = 4096;

  /** As in config.json's max_position_embeddings. */
  private static final int MAX_LENGTH = 512;

  private static final String HELP =
      """
      Trains a byte-level BPE tokenizer of 4,096 tokens on WordNet.

      Usage: TrainTokenizer DATA OUT
        DATA  folder that PrepareWordnet made; only train rows are read
        OUT   folder for tokenizer.json, tokenizer_config.json and special_tokens_map.json\
      """;

  private TrainTokenizer() {}

  /** See {@code --help}. */
  public static void main(String[] args) {
    Program.main(args, HELP, 2, a -> train(Path.of(a.get(0)), Path.of(a.get(1))));
  }

  /** Reads the train rows under {@code data} and writes the tokenizer's files into {@code out}. */
  static void train(Path data, Path out) throws IOException {
    BpeTrainer trainer = new BpeTrainer();
    SavedDataset.read(data.resolve("pretrain")).column("text").forEach(trainer::add);
    Table rows = SavedDataset.read(data.resolve("categories/train"));
    rows.column("input").forEach(definition -> trainer.add(prompt(definition)));
    rows.column("output").forEach(trainer::add);
    Bpe bpe = trainer.train(VOCABULARY, List.of(END, PAD));
    TokenizerFiles.write(out, bpe, END, PAD, MAX_LENGTH);
    System.out.printf("%s: %d tokens%n", out.resolve("tokenizer.json"), bpe.vocabulary().size());
  }

  /**
   * What the quickstart asks about a definition; the category follows. It ends in a line break,
   * since a space there would join the first word of the category in one token.
   */
  static String prompt(String definition) {
    return definition + "\n" + PrepareWordnet.QUESTION + "\n";
  }
}
