package dev.nibble.examples.wordnet;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What README.md says about the folder beside it. */
class ShippedDataTest {
  private static final Path FOLDER = Path.of("wordnet");

  private static Table train;
  private static Table validation;
  private static Table test;
  private static List<String> text;

  @BeforeAll
  static void read() throws IOException {
    Path categories = FOLDER.resolve("data/categories");
    train = SavedDataset.read(categories.resolve("train"));
    validation = SavedDataset.read(categories.resolve("validation"));
    test = SavedDataset.read(categories.resolve("test"));
    text = SavedDataset.read(FOLDER.resolve("data/pretrain")).column("text");
  }

  @Test
  void hasTheAdvertisedRows() {
    assertThat(train.rows()).hasSize(114_659);
    assertThat(validation.rows()).hasSize(1_000);
    assertThat(test.rows()).hasSize(2_000);
    assertThat(text).hasSize(114_659);
    assertThat(train.columns()).isEqualTo(List.of("instruction", "input", "output", "synset"));
    assertThat(train.column("instruction")).containsOnly(PrepareWordnet.QUESTION);
  }

  @Test
  void hasAll45Categories() {
    assertThat(Set.copyOf(train.column("output"))).isEqualTo(Set.copyOf(Categories.NAMES));
    assertThat(Categories.NAMES).hasSize(45).containsAll(test.column("output"));
  }

  @Test
  void keepsTheSplitsApart() {
    for (String column : List.of("synset", "input")) {
      Set<String> seen = new HashSet<>(test.column(column));
      assertThat(seen).hasSize(2_000);
      assertThat(validation.column(column)).doesNotContainAnyElementsOf(seen);
      seen.addAll(validation.column(column));
      assertThat(seen).hasSize(3_000);
      assertThat(train.column(column).stream().filter(seen::contains)).isEmpty();
    }
  }

  @Test
  void pretrainingTextDefinesNoHeldOutSynset() {
    Set<String> heldOut = new HashSet<>(test.column("input"));
    heldOut.addAll(validation.column("input"));
    List<String> definitions = train.column("input");
    for (int i = 0; i < text.size(); i++) {
      String definition = definitions.get(i);
      String afterLemmas = text.get(i).substring(text.get(i).indexOf(": ") + 2);
      assertThat(afterLemmas).startsWith(definition);
      assertThat(afterLemmas.substring(definition.length())).matches("(; .+)?");
      assertThat(heldOut.contains(definition)).as(definition).isFalse();
    }
  }

  @Test
  void tokenizerKeepsTextAndNeverJoinsPromptAndAnswer() throws IOException {
    try (HuggingFaceTokenizer tokenizer =
        HuggingFaceTokenizer.newInstance(FOLDER.resolve("base/tokenizer.json"))) {
      List<String> inputs = test.column("input");
      List<String> outputs = test.column("output");
      for (int i = 0; i < test.rows().size(); i++) {
        String prompt = TrainTokenizer.prompt(inputs.get(i));
        String answer = outputs.get(i);
        long[] promptIds = tokenizer.encode(prompt).getIds();
        long[] answerIds = tokenizer.encode(answer).getIds();
        Encoding both = tokenizer.encode(prompt + answer);
        assertThat(both.getIds()).startsWith(promptIds).endsWith(answerIds);
        assertThat(both.getIds()).hasSize(promptIds.length + answerIds.length);
        assertThat(tokenizer.decode(both.getIds())).isEqualTo(prompt + answer);
      }
      assertThat(tokenizer.encode(TrainTokenizer.END + TrainTokenizer.PAD).getIds())
          .containsExactly(0, 1);
    }
  }

  @Test
  void wholeFolderStaysSmall() throws IOException {
    try (var files = Files.walk(FOLDER.resolve("data"))) {
      assertThat(files.filter(Files::isRegularFile).mapToLong(f -> f.toFile().length()).sum())
          .isLessThan(10_000_000);
    }
  }
}
