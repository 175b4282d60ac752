package dev.nibble.trainer.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AccuracyTest {
  private static final Answer RIGHT = new Answer("q1", "a large cat", "a large cat");
  private static final Answer NEARLY = new Answer("q2", "a small dog", "A dog.");

  @TempDir Path dir;

  @Test
  void freeTextsHaveAnF1AndNoCategories() {
    Accuracy accuracy = Accuracy.of(List.of(RIGHT, NEARLY));

    assertThat(accuracy.accuracy()).isEqualTo(0.5);
    assertThat(accuracy.total()).isEqualTo(2);
    assertThat(accuracy.detail()).isEqualTo(new Accuracy.FreeText((1 + 2.0 / 3) / 2));
  }

  @Test
  void fewAnswersThatAreExpectedAgainAndAgainAreLabels() {
    assertThat(Accuracy.of(answers(100, 200)).detail()).isInstanceOf(Accuracy.Labels.class);
    assertThat(Accuracy.of(answers(101, 400)).detail()).isInstanceOf(Accuracy.FreeText.class);
    assertThat(Accuracy.of(answers(100, 199)).detail()).isInstanceOf(Accuracy.FreeText.class);
  }

  private static List<Answer> answers(int different, int all) {
    List<Answer> answers = new ArrayList<>();
    for (int i = 0; i < all; i++) {
      answers.add(new Answer("q", "answer " + i % different, ""));
    }
    return answers;
  }

  @Test
  void savesALineForEachQuestion() throws IOException {
    Path file = dir.resolve("answers.jsonl");
    Accuracy.of(List.of(RIGHT, NEARLY)).saveAnswers(file);
    assertThat(Files.readAllLines(file))
        .containsExactly(
            """
            {"prompt":"q1","expected":"a large cat","answer":"a large cat","right":true,"f1":1.0}\
            """,
            """
            {"prompt":"q2","expected":"a small dog","answer":"A dog.","right":false,"f1":0.6666666666666666}\
            """);

    Accuracy before =
        LabelScores.of(List.of(new Answer("q", "yes", "ja"), new Answer("r", "no", "yes")));
    Accuracy after =
        LabelScores.of(List.of(new Answer("q", "yes", "yes"), new Answer("r", "no", "yes")));
    new Comparison(before, after, Optional.of(after)).writeAnswers(file);
    assertThat(Files.readAllLines(file))
        .containsExactly(
            """
            {"prompt":"q","expected":"yes","before":"ja","after":"yes","baseline":"yes","right":true}\
            """,
            """
            {"prompt":"r","expected":"no","before":"yes","after":"yes","baseline":"yes","right":false}\
            """);
    new Comparison(before, after, Optional.empty()).writeAnswers(file);
    assertThat(Files.readAllLines(file)).hasSize(2).noneMatch(line -> line.contains("baseline"));
  }

  @Test
  void refusesNoAnswers() {
    assertThatThrownBy(() -> Accuracy.of(List.of())).hasMessageContaining("at least one");
  }
}
