package dev.nibble.trainer.run;

import dev.nibble.compute.files.JsonError;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The losses in a {@code metrics.jsonl}.
 *
 * @param training one point for each step
 * @param validation one point for each evaluation
 */
public record Metrics(List<Step> training, List<Point> validation) {
  private static final JsonMapper JSON = new JsonMapper();

  /**
   * An optimizer step.
   *
   * @param step its number, counted from 1
   * @param epoch passes over the data so far
   * @param loss mean cross-entropy in nats
   * @param learningRate of its update
   */
  public record Step(long step, double epoch, double loss, double learningRate) {}

  /**
   * A value after some steps.
   *
   * @param step steps done
   * @param value such as a loss in nats
   */
  public record Point(long step, double value) {}

  /** Copies the lists. */
  public Metrics {
    training = List.copyOf(training);
    validation = List.copyOf(validation);
  }

  /** Reads the file. */
  public static Metrics read(Path file) throws IOException {
    List<Step> training = new ArrayList<>();
    List<Point> validation = new ArrayList<>();
    for (String line : linesTo(file, Long.MAX_VALUE)) {
      JsonNode node = JSON.readTree(line);
      long step = node.path("step").longValue();
      if (node.path("loss").isNumber()) {
        training.add(
            new Step(
                step,
                node.path("epoch").asDouble(0),
                node.path("loss").doubleValue(),
                node.path("learning_rate").asDouble(0)));
      }
      if (node.path("eval_loss").isNumber()) {
        validation.add(new Point(step, node.path("eval_loss").doubleValue()));
      }
    }
    return new Metrics(training, validation);
  }

  /**
   * The lines of steps up to one.
   *
   * @throws RunException at a line that is no metric, unless it is the last, which a killed run may
   *     leave half-written
   */
  static List<String> linesTo(Path file, long step) throws IOException {
    List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    List<String> kept = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      try {
        JsonNode at = JSON.readTree(lines.get(i)).path("step");
        if (!at.isIntegralNumber()) {
          throw new RunException(
              "%s:%d has no step. Delete the line, or the file".formatted(file, i + 1));
        }
        if (at.longValue() <= step) {
          kept.add(lines.get(i));
        }
      } catch (JacksonException e) {
        if (i < lines.size() - 1) {
          throw new RunException(
              "%s:%d is no JSON: %s. Delete the line, or the file"
                  .formatted(file, i + 1, JsonError.of(e, lines.get(i))),
              e);
        }
      }
    }
    return kept;
  }
}
