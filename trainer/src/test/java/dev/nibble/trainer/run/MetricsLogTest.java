package dev.nibble.trainer.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.trainer.run.Metrics.Point;
import dev.nibble.trainer.train.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class MetricsLogTest {
  @TempDir Path dir;

  @Test
  void writesALineForEachStepAndEvaluation() throws IOException {
    Instant before = Instant.now().truncatedTo(ChronoUnit.MILLIS);
    Path file = dir.resolve("metrics.jsonl");
    try (MetricsLog log = MetricsLog.open(file, 0, () -> OptionalLong.of(5))) {
      log.accept(step(1, 2.5));
      assertThat(Files.readString(file)).as("flushed at once").endsWith("\n");
      log.accept(new Report.EvaluationReport(1, 4, 0.5, 2, Math.exp(2), 10, 0.1, true));
      log.accept(new Report.CheckpointReport(1, dir, 0.1));
      log.accept(new Report.SkipReport(2, 4, 1, "the loss is NaN", 1, 10));
    }
    JsonNode skipped = new JsonMapper().readTree(Files.readAllLines(file).getLast());
    assertThat(skipped.get("skipped").asString()).isEqualTo("the loss is NaN");
    JsonNode first = new JsonMapper().readTree(Files.readAllLines(file).get(0));
    assertThat(first.propertyNames())
        .containsExactly(
            "step",
            "epoch",
            "loss",
            "learning_rate",
            "grad_norm",
            "tokens",
            "supervised_tokens",
            "tokens_per_second",
            "time",
            "memory_bytes");
    assertThat(Instant.parse(first.get("time").asString())).isBetween(before, Instant.now());
    assertThat(first.get("memory_bytes").longValue()).isEqualTo(5);
    assertThat(losses(Metrics.read(file))).containsExactly(new Point(1, 2.5));
    assertThat(Metrics.read(file).validation()).containsExactly(new Point(1, 2));
  }

  @Test
  void aResumedRunDoublesNothing() throws IOException {
    Path file = dir.resolve("metrics.jsonl");
    try (MetricsLog log = MetricsLog.open(file, 0, () -> OptionalLong.of(5))) {
      for (int s = 1; s <= 5; s++) {
        log.accept(step(s, s));
      }
    }
    Files.writeString(file, "{\"step\":6,\"lo", StandardOpenOption.APPEND);
    try (MetricsLog log = MetricsLog.open(file, 3, () -> OptionalLong.of(5))) {
      log.accept(step(4, 40));
    }
    assertThat(losses(Metrics.read(file)))
        .containsExactly(new Point(1, 1), new Point(2, 2), new Point(3, 3), new Point(4, 40));
  }

  @Test
  void aNewRunStartsEmpty() throws IOException {
    Path file = Files.writeString(dir.resolve("metrics.jsonl"), "{\"step\":1,\"loss\":1}\n");
    MetricsLog.open(file, 0, () -> OptionalLong.of(5)).close();
    assertThat(file).isEmptyFile();
    MetricsLog.open(dir.resolve("new.jsonl"), 7, OptionalLong::empty).close();
    assertThat(dir.resolve("new.jsonl")).isEmptyFile();
  }

  @Test
  void namesTheLineThatIsNoMetric() throws IOException {
    Path file = Files.writeString(dir.resolve("metrics.jsonl"), "{\"step\":1}\n{oops\n{}\n");
    assertThatThrownBy(() -> Metrics.read(file))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("metrics.jsonl:2 is no JSON");
    Files.writeString(file, "{\"step\":1}\n{\"loss\":1}\n{\"step\":3}\n");
    assertThatThrownBy(() -> MetricsLog.open(file, 1, () -> OptionalLong.of(5)))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("metrics.jsonl:2 has no step");
  }

  private static List<Point> losses(Metrics metrics) {
    return metrics.training().stream().map(s -> new Point(s.step(), s.loss())).toList();
  }

  private static Report.StepReport step(long step, double loss) {
    return new Report.StepReport(step, 9, 0.5, loss, 1e-4, 1, 100, 50, 1000, 3);
  }
}
