package dev.nibble.trainer.run;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.files.FileProblem;
import dev.nibble.trainer.train.Report;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes {@code metrics.jsonl}: one JSON object for each step ({@code loss}, {@code learning_rate},
 * {@code grad_norm}, …), each step without an update ({@code skipped}: why) and each evaluation
 * ({@code eval_loss}, …), under transformers' names. Each line is handed to the system at once, so
 * a reader may follow the file.
 */
public final class MetricsLog implements Consumer<Report>, AutoCloseable {
  private static final JsonMapper JSON = new JsonMapper();

  private final Path file;
  private final BufferedWriter out;
  private final Supplier<OptionalLong> memory;

  private MetricsLog(Path file, BufferedWriter out, Supplier<OptionalLong> memory) {
    this.file = file;
    this.out = out;
    this.memory = memory;
  }

  /**
   * Opens the log, keeping the lines up to a step: 0 for a new run, the checkpoint's step for one
   * that goes on.
   *
   * @param memory bytes that the process takes at present, where that is known
   */
  public static MetricsLog open(Path file, long keepToStep, Supplier<OptionalLong> memory)
      throws IOException {
    List<String> kept =
        Files.exists(file) && keepToStep > 0 ? Metrics.linesTo(file, keepToStep) : List.of();
    AtomicFile.write(file, kept.stream().map(line -> line + "\n").collect(Collectors.joining()));
    return new MetricsLog(
        file,
        Files.newBufferedWriter(file, StandardCharsets.UTF_8, StandardOpenOption.APPEND),
        memory);
  }

  @Override
  public void accept(Report report) {
    switch (report) {
      case Report.StepReport s -> write(fields(s));
      case Report.SkipReport s -> write(fields(s));
      case Report.EvaluationReport e -> write(fields(e));
      case Report.CheckpointReport c -> {}
      case Report.ResumeReport r -> {}
      case Report.EarlyStopReport s -> {}
      case Report.StopReport s -> {}
    }
  }

  private static Map<String, Object> fields(Report.StepReport s) {
    Map<String, Object> f = new LinkedHashMap<>();
    f.put("step", s.step());
    f.put("epoch", s.epoch());
    f.put("loss", s.loss());
    f.put("learning_rate", s.learningRate());
    f.put("grad_norm", s.gradientNorm());
    f.put("tokens", s.tokens());
    f.put("supervised_tokens", s.supervisedTokens());
    f.put("tokens_per_second", s.tokensPerSecond());
    return f;
  }

  private static Map<String, Object> fields(Report.SkipReport s) {
    Map<String, Object> f = new LinkedHashMap<>();
    f.put("step", s.step());
    f.put("epoch", s.epoch());
    f.put("skipped", s.problem());
    return f;
  }

  private static Map<String, Object> fields(Report.EvaluationReport e) {
    Map<String, Object> f = new LinkedHashMap<>();
    f.put("step", e.step());
    f.put("epoch", e.epoch());
    f.put("eval_loss", e.loss());
    f.put("eval_perplexity", e.perplexity());
    f.put("eval_supervised_tokens", e.supervisedTokens());
    f.put("eval_runtime", e.seconds());
    return f;
  }

  /** Writes a line, with the time of day and the memory of the process. */
  private void write(Map<String, Object> fields) {
    fields.put("time", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
    memory.get().ifPresent(bytes -> fields.put("memory_bytes", bytes));
    try {
      out.write(JSON.writeValueAsString(fields));
      out.write('\n');
      out.flush();
    } catch (IOException e) {
      throw RunException.unwritable(new IOException(file + ": " + FileProblem.of(e), e));
    }
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
