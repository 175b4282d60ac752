package dev.nibble.trainer.evaluation;

import dev.nibble.compute.files.AtomicFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;

/** Answers as JSON lines, one for each question, for a person or a script to look through. */
final class AnswersFile {
  private static final JsonMapper JSON = new JsonMapper();

  private AnswersFile() {}

  /** The answers of one model. */
  static void write(Path file, Accuracy accuracy) throws IOException {
    write(file, accuracy, i -> Map.of("answer", accuracy.answers().get(i).given()));
  }

  /** The answers before and after training, and of the baseline; all to the same questions. */
  static void write(Path file, Comparison comparison) throws IOException {
    write(
        file,
        comparison.after(),
        i -> {
          Map<String, String> given = new LinkedHashMap<>();
          given.put("before", comparison.before().answers().get(i).given());
          given.put("after", comparison.after().answers().get(i).given());
          comparison.baseline().ifPresent(b -> given.put("baseline", b.answers().get(i).given()));
          return given;
        });
  }

  /**
   * {@code judged}: the answers that are called right or wrong; {@code given}: all, by question.
   */
  private static void write(Path file, Accuracy judged, IntFunction<Map<String, String>> given)
      throws IOException {
    AtomicFile.write(
        file,
        IntStream.range(0, judged.total())
            .mapToObj(i -> line(judged.answers().get(i), judged.detail(), given.apply(i)))
            .collect(Collectors.joining()));
  }

  private static String line(Answer answer, Accuracy.Detail detail, Map<String, String> given) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("prompt", answer.question());
    fields.put("expected", answer.expected());
    fields.putAll(given);
    fields.put("right", answer.isRight());
    if (detail instanceof Accuracy.FreeText) {
      fields.put("f1", answer.f1());
    }
    return JSON.writeValueAsString(fields) + "\n";
  }
}
