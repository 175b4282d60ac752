package dev.nibble.trainer.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class BagOfWordsBaselineTest {
  private static final List<String> ANIMAL = List.of("fur", "mammal", "tail", "feathers", "bird");
  private static final List<String> PLANT = List.of("leaves", "flower", "shrub", "tree", "herb");
  private static final List<String> BOTH = List.of("a", "of", "large", "the", "small", "genus");

  @Test
  void learnsWhichWordsBelongToWhichLabel() {
    BagOfWordsBaseline baseline = BagOfWordsBaseline.train(rows(400, 1), 7);

    assertThat(baseline.measure(rows(200, 2)).accuracy()).isGreaterThan(0.95);
    assertThat(baseline.classify("The BIRD, large.")).isEqualTo("animal");
    assertThat(baseline.classify("the shrub")).isEqualTo("plant");
  }

  @Test
  void isTheSameForTheSameSeed() {
    List<LabeledText> test = rows(100, 3);
    Accuracy first = BagOfWordsBaseline.train(rows(60, 1), 7).measure(test);
    Accuracy second = BagOfWordsBaseline.train(rows(60, 1), 7).measure(test);
    assertThat(second).isEqualTo(first);
  }

  @Test
  void textsWithoutAKnownWordAreStillAnswered() {
    BagOfWordsBaseline baseline = BagOfWordsBaseline.train(rows(50, 1), 7);
    assertThat(baseline.classify("")).isEqualTo("animal");
    assertThat(baseline.classify("?!")).isEqualTo("animal");
    assertThat(baseline.classify("quark")).isEqualTo("animal");
  }

  @Test
  void labelsOfTheTestRowsMayBeNew() {
    BagOfWordsBaseline baseline = BagOfWordsBaseline.train(rows(50, 1), 7);
    Accuracy accuracy = baseline.measure(List.of(new LabeledText("a tree", "mineral")));
    assertThat(accuracy.accuracy()).isZero();
  }

  @Test
  void needsTwoLabels() {
    List<LabeledText> rows = List.of(new LabeledText("one", "x"), new LabeledText("!", "y"));
    assertThatThrownBy(() -> BagOfWordsBaseline.train(rows, 7))
        .isInstanceOf(EvaluationException.class)
        .hasMessageContaining("two labels or more; 1 rows with words have 1");
  }

  private static List<LabeledText> rows(int count, long seed) {
    Random random = new Random(seed);
    List<LabeledText> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      boolean animal = random.nextBoolean();
      List<String> words = new ArrayList<>();
      for (int w = 0; w < 6; w++) {
        List<String> from = w % 2 == 0 ? BOTH : animal ? ANIMAL : PLANT;
        words.add(from.get(random.nextInt(from.size())));
      }
      rows.add(new LabeledText(String.join(" ", words), animal ? "animal" : "plant"));
    }
    return rows;
  }
}
