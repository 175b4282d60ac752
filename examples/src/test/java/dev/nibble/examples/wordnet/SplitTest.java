package dev.nibble.examples.wordnet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SplitTest {
  private static final List<Synset> SYNSETS =
      IntStream.range(0, 100).mapToObj(i -> synset(i, "meaning " + i, "sentence " + i)).toList();

  @Test
  void putsEverySynsetIntoOnePart() {
    Split split = Split.of(SYNSETS, 10, 20, 1);
    assertThat(split.validation()).hasSize(10);
    assertThat(split.test()).hasSize(20);
    List<Synset> all = new ArrayList<>(split.train());
    all.addAll(split.validation());
    all.addAll(split.test());
    assertThat(all).containsExactlyInAnyOrderElementsOf(SYNSETS);
  }

  @Test
  void dependsOnTheSeedAndNotOnTheOrder() {
    List<Synset> shuffled = new ArrayList<>(SYNSETS);
    Collections.shuffle(shuffled, new Random(3));
    assertThat(Split.of(shuffled, 10, 20, 1)).isEqualTo(Split.of(SYNSETS, 10, 20, 1));
    assertThat(Split.of(SYNSETS, 10, 20, 2)).isNotEqualTo(Split.of(SYNSETS, 10, 20, 1));
  }

  @Test
  void keepsSharedDefinitionsInTrain() {
    List<Synset> synsets = new ArrayList<>(SYNSETS);
    IntStream.range(100, 150).forEach(i -> synsets.add(synset(i, "Shared", "s" + i)));
    Split split = Split.of(synsets, 10, 20, 1);
    assertThat(split.train()).filteredOn(s -> s.definition().equals("Shared")).hasSize(50);
  }

  @Test
  void leavesHeldOutSentencesOutOfTheText() {
    List<Synset> synsets =
        IntStream.range(0, 30).mapToObj(i -> synset(i, "meaning " + i, "the same")).toList();
    Split split = Split.of(synsets, 1, 1, 1);
    assertThat(split.text())
        .hasSize(28)
        .contains("lemma, other: " + split.train().getFirst().definition())
        .noneMatch(t -> t.contains("the same"));
    assertThat(Split.of(synsets, 0, 0, 1).text()).allMatch(t -> t.endsWith("; the same"));
  }

  private static Synset synset(int id, String definition, String example) {
    return new Synset(
        "%08d-n".formatted(id),
        "noun.act",
        List.of("lemma", "other"),
        definition,
        List.of(example));
  }
}
