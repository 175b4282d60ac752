package dev.nibble.trainer.evaluation;

import dev.nibble.compute.files.AtomicFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * The answer to "did it help": accuracy of the base model, of the fine-tuned one, and of a simple
 * baseline, on the same questions.
 *
 * @param before of the base model
 * @param after of the fine-tuned model
 * @param baseline of {@link BagOfWordsBaseline}, if it was measured
 */
public record Comparison(Accuracy before, Accuracy after, Optional<Accuracy> baseline) {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  /**
   * As {@code eval.json} holds it: {@code {"before": {"accuracy": …}, "after": {"accuracy": …},
   * "baseline": {"name": …, "accuracy": …}}}, with the counts of each category or the F1 beside.
   */
  public String toJson() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("before", counts(before));
    all.put("after", counts(after));
    baseline.ifPresent(b -> {
      Map<String, Object> named = new LinkedHashMap<>();
      named.put("name", BagOfWordsBaseline.NAME);
      named.putAll(counts(b));
      all.put("baseline", named);
    });
    return JSON.writeValueAsString(all) + "\n";
  }

  /** Writes {@code eval.json}, whole or not at all. */
  public void write(Path file) throws IOException {
    AtomicFile.write(file, toJson());
  }

  /** Writes all answers as lines of JSON, whole or not at all. */
  public void writeAnswers(Path file) throws IOException {
    AnswersFile.write(file, this);
  }

  private static Map<String, Object> counts(Accuracy a) {
    Map<String, Object> counts = new LinkedHashMap<>();
    counts.put("accuracy", a.accuracy());
    counts.put("questions", a.total());
    switch (a.detail()) {
      case Accuracy.Labels(int unknown, var byLabel) -> {
        counts.put("unknown_answers", unknown);
        Map<String, Object> categories = new LinkedHashMap<>();
        byLabel.forEach(
            (name, c) -> categories.put(name, Map.of("right", c.right(), "total", c.total())));
        counts.put("categories", categories);
      }
      case Accuracy.FreeText(double f1) -> counts.put("f1", f1);
    }
    return counts;
  }
}
