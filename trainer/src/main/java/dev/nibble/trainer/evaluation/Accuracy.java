package dev.nibble.trainer.evaluation;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * How many answers are right.
 *
 * @param accuracy share of answers that equal the expected ones, in [0, 1]
 * @param total number of questions
 * @param detail what else there is to say of answers of this kind
 * @param answers every question with its answer, in order
 */
public record Accuracy(double accuracy, int total, Detail detail, List<Answer> answers) {
  /** The most different answers that count as labels. */
  private static final int MOST_LABELS = 100;

  /** How often each label must be expected, on average. */
  private static final int REPEATED = 2;

  /** What is said besides the accuracy, by the kind of the expected answers. */
  public sealed interface Detail {}

  /**
   * The expected answers are labels: at most 100 different ones, expected twice each or more often
   * on average.
   *
   * @param unknown answers that are none of the labels; they are wrong
   * @param categories by label, in alphabetical order
   */
  public record Labels(int unknown, Map<String, Category> categories) implements Detail {
    /** Copies the map. */
    public Labels {
      categories = Collections.unmodifiableMap(new LinkedHashMap<>(categories));
    }
  }

  /**
   * The expected answers are free texts.
   *
   * @param f1 mean of {@link Answer#f1}, in [0, 1]
   */
  public record FreeText(double f1) implements Detail {}

  /**
   * Questions with one expected answer.
   *
   * @param right answered so
   * @param total asked
   */
  public record Category(int right, int total) {}

  /** Copies the list. */
  public Accuracy {
    answers = List.copyOf(answers);
  }

  /** The accuracy of answers, whoever gave them. */
  static Accuracy of(List<Answer> answers) {
    if (answers.isEmpty()) {
      throw new EvaluationException("no questions: accuracy needs at least one");
    }
    TreeSet<String> expected = new TreeSet<>();
    answers.forEach(a -> expected.add(a.expected()));
    if (expected.size() <= MOST_LABELS && expected.size() * REPEATED <= answers.size()) {
      return LabelScores.of(answers);
    }
    double right = answers.stream().filter(Answer::isRight).count();
    double f1 = answers.stream().mapToDouble(Answer::f1).average().orElseThrow();
    return new Accuracy(right / answers.size(), answers.size(), new FreeText(f1), answers);
  }

  /** {@code count} answers, evenly spread over all. */
  public List<Answer> samples(int count) {
    int n = Math.min(count, answers.size());
    return IntStream.range(0, n)
        .mapToObj(i -> answers.get((int) ((long) i * answers.size() / n)))
        .toList();
  }

  /**
   * Writes a line of JSON for each question, whole or not at all: {@code prompt}, {@code expected},
   * {@code answer}, {@code right}, and {@code f1} for free texts.
   */
  public void saveAnswers(Path file) throws IOException {
    AnswersFile.write(file, this);
  }
}
