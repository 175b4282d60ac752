package dev.nibble.trainer.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class ComparisonTest {
  @TempDir Path dir;

  @Test
  void writesTheThreeNumbers() throws IOException {
    Answer right = new Answer("q", "a", "a");
    Answer wrong = new Answer("q", "b", "x");
    Path file = dir.resolve("eval.json");

    new Comparison(
            LabelScores.of(List.of(wrong)),
            LabelScores.of(List.of(right)),
            Optional.of(LabelScores.of(List.of(right, wrong))))
        .write(file);

    JsonNode json = new JsonMapper().readTree(Files.readString(file));
    assertThat(json.propertyNames()).containsExactly("before", "after", "baseline");
    assertThat(json.at("/before/accuracy").doubleValue()).isZero();
    assertThat(json.at("/after/accuracy").doubleValue()).isEqualTo(1);
    assertThat(json.at("/baseline/name").stringValue()).contains("logistic regression");
    assertThat(json.at("/baseline/accuracy").doubleValue()).isEqualTo(0.5);
    assertThat(json.at("/baseline/unknown_answers").intValue()).isEqualTo(1);
    assertThat(json.at("/before/categories/b/total").intValue()).isEqualTo(1);
    new Comparison(Accuracy.of(List.of(wrong)), Accuracy.of(List.of(right)), Optional.empty())
        .write(file);
    json = new JsonMapper().readTree(Files.readString(file));
    assertThat(json.propertyNames()).containsExactly("before", "after");
    assertThat(json.at("/after").propertyNames()).containsExactly("accuracy", "questions", "f1");
    try (var files = Files.list(dir)) {
      assertThat(files).containsExactly(file);
    }
  }
}
