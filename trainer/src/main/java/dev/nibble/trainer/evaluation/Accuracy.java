package dev.nibble.trainer.evaluation;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * How many answers are right.
 *
 * @param accuracy share of right answers, in [0, 1]
 * @param total number of questions
 * @param unknown answers that are none of the expected categories; they are wrong
 * @param categories by expected answer, in alphabetical order
 * @param answers every question with its answer, in order
 */
public record Accuracy(
    double accuracy,
    int total,
    int unknown,
    Map<String, Category> categories,
    List<Answer> answers) {

  /**
   * Questions with one expected answer.
   *
   * @param right answered so
   * @param total asked
   */
  public record Category(int right, int total) {}

  /** Copies the collections. */
  public Accuracy {
    categories = Collections.unmodifiableMap(new LinkedHashMap<>(categories));
    answers = List.copyOf(answers);
  }

  /** {@code count} answers, evenly spread over all. */
  public List<Answer> samples(int count) {
    int n = Math.min(count, answers.size());
    return IntStream.range(0, n)
        .mapToObj(i -> answers.get((int) ((long) i * answers.size() / n)))
        .toList();
  }
}
