package dev.nibble.trainer.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class LabelScoresTest {

  @Test
  void countsExactMatchesByCategory() {
    Accuracy accuracy =
        LabelScores.of(
            List.of(
                new Answer("q1", "animal", "animal"),
                new Answer("q2", "animal", "plant"),
                new Answer("q3", "plant", "plant"),
                new Answer("q4", "plant", "a plant"),
                new Answer("q5", "plant", "")));

    assertThat(accuracy.accuracy()).isEqualTo(0.4);
    assertThat(accuracy.total()).isEqualTo(5);
    assertThat(accuracy.detail())
        .isEqualTo(
            new Accuracy.Labels(
                2,
                Map.of(
                    "animal", new Accuracy.Category(1, 2), "plant", new Accuracy.Category(1, 3))));
  }

  @Test
  void anAnswerLikeTheLabelOfUnknownOnesIsStillWrong() {
    Accuracy accuracy =
        LabelScores.of(
            List.of(
                new Answer("q1", "(none of these)", "other"),
                new Answer("q2", "(none of these)", "(none of these)")));
    assertThat(accuracy.accuracy()).isEqualTo(0.5);
  }

  @Test
  void allWrongIsZeroAndAllRightIsOne() {
    assertThat(LabelScores.of(List.of(new Answer("q", "a", "b"))).accuracy()).isZero();
    assertThat(LabelScores.of(List.of(new Answer("q", "a", "a"))).accuracy()).isEqualTo(1);
  }
}
