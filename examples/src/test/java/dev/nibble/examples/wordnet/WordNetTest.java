package dev.nibble.examples.wordnet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.examples.ProgramException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WordNetTest {
  private static final Path EXCERPT = Path.of("src/test/resources/wordnet");

  @TempDir private Path folder;

  @BeforeEach
  void copyExcerpt() throws IOException {
    for (String file : List.of("data.noun", "data.verb", "data.adj", "data.adv")) {
      Files.copy(EXCERPT.resolve(file), folder.resolve(file));
    }
  }

  @Test
  void readsEverySynsetAndSkipsTheLicence() throws IOException {
    assertThat(WordNet.read(folder))
        .containsExactly(
            synset("00001740-n", "noun.Tops", "entity", "that which exists"),
            new Synset(
                "00001930-n",
                "noun.animal",
                List.of("house cat", "Felis catus"),
                "a small animal kept by people",
                List.of("the cat sat on the mat", "a cat: a mouser")),
            new Synset(
                "00002137-n",
                "noun.time",
                List.of(
                    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
                "a time of day",
                List.of()),
            synset("00001740-v", "verb.motion", "stroll", "walk without aim", "they strolled"),
            synset("00001740-a", "adj.all", "afraid", "filled with fear"),
            synset(
                "00001930-s",
                "adj.all",
                "on loan",
                "(of things) lent (expressed as \"on loan\")",
                "the picture is on loan"),
            synset("00001740-r", "adv.all", "slowly", "without speed", "he walked slowly"));
  }

  private static Synset synset(
      String id, String category, String lemma, String definition, String... examples) {
    return new Synset(id, category, List.of(lemma), definition, List.of(examples));
  }

  @Test
  void namesTheMissingFileAndWhereToGetIt() throws IOException {
    Files.delete(folder.resolve("data.adv"));
    assertThatThrownBy(() -> WordNet.read(folder))
        .isInstanceOf(ProgramException.class)
        .hasMessageContainingAll(folder.toString(), "data.adv", "wordnet-base");
  }

  @Test
  void namesFileAndLineOfALineWithoutGloss() throws IOException {
    Files.writeString(folder.resolve("data.verb"), "  1 licence\n00001740 38 v 01 go 0 000\n");
    assertThatThrownBy(() -> WordNet.read(folder))
        .isInstanceOf(ProgramException.class)
        .hasMessageContainingAll("data.verb:2", "| gloss", "00001740 38 v 01 go 0 000");
  }

  @Test
  void refusesAnUnknownCategory() throws IOException {
    Files.writeString(folder.resolve("data.verb"), "00001740 45 v 01 go 0 000 | move\n");
    assertThatThrownBy(() -> WordNet.read(folder))
        .isInstanceOf(ProgramException.class)
        .hasMessageContainingAll("data.verb:1", "00 to 44", "'45'");
  }

  @Test
  void refusesAWordCountThatTheLineDoesNotHave() throws IOException {
    Files.writeString(folder.resolve("data.verb"), "00001740 38 v 0f go 0 000 | move\n");
    assertThatThrownBy(() -> WordNet.read(folder))
        .isInstanceOf(ProgramException.class)
        .hasMessageContainingAll("data.verb:1", "15 words");
  }

  @Test
  void writesNothingWhenTheWordNetIsTooSmallToSplit() {
    Path out = folder.resolve("out");
    assertThatThrownBy(() -> PrepareWordnet.prepare(folder, out))
        .isInstanceOf(ProgramException.class)
        .hasMessageContaining("7 synsets");
    assertThat(out).doesNotExist();
  }

  @Test
  void leavesAnExistingFolderAlone() {
    assertThatThrownBy(() -> PrepareWordnet.prepare(EXCERPT, folder))
        .isInstanceOf(ProgramException.class)
        .hasMessageContaining("exists");
  }
}
