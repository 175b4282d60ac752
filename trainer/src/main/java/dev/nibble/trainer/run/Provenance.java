package dev.nibble.trainer.run;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.files.FileProblem;
import dev.nibble.compute.files.JsonError;
import dev.nibble.errors.Remedy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Where a run's result comes from, as {@code provenance.json} holds it: with the same of
 * everything, the run can be repeated, and with the same settings and inputs it can go on.
 *
 * @param settings that decide the result
 * @param inputs files that decide the result
 * @param measured files that it is only measured with
 * @param began time at which the run began, which templates may write into prompts
 * @param build which Nibble
 * @param machine where it ran
 * @param kernels which kernel set, as it describes itself
 */
public record Provenance(
    RunSettings settings,
    List<RunInput> inputs,
    List<RunInput> measured,
    LocalDateTime began,
    Build build,
    Machine machine,
    String kernels) {

  static final String FILE = "provenance.json";

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .build();

  /** Copies the lists. */
  public Provenance {
    inputs = List.copyOf(inputs);
    measured = List.copyOf(measured);
  }

  /** Writes {@code provenance.json} into a run's folder, whole or not at all. */
  void write(Path folder) throws IOException {
    AtomicFile.write(folder.resolve(FILE), JSON.writeValueAsString(this) + "\n");
  }

  /**
   * Reads {@code provenance.json} in a run's folder; empty when there is none.
   *
   * @throws RunException when it cannot be understood
   */
  public static Optional<Provenance> read(Path folder) {
    Path file = folder.resolve(FILE);
    if (Files.notExists(file)) {
      return Optional.empty();
    }
    String text;
    try {
      text = Files.readString(file);
    } catch (IOException e) {
      throw new RunException(
          "%s cannot be read: %s".formatted(file, FileProblem.of(e)), Remedy.OVERWRITE, e);
    }
    try {
      return Optional.of(JSON.readValue(text, Provenance.class));
    } catch (JacksonException e) {
      throw new RunException(
          "%s is damaged, or of another version of Nibble: %s"
              .formatted(file, JsonError.of(e, text)),
          Remedy.OVERWRITE,
          e);
    }
  }

  /** What of the inputs is not as it was, by {@code now}'s names. */
  public List<String> changes(List<RunInput> now) {
    return changes(now, file -> true);
  }

  /** The same of some files only. */
  public List<String> changes(List<RunInput> now, Predicate<FileDigest> counted) {
    return now.stream()
        .flatMap(input ->
            inputs.stream()
                .filter(then -> then.name().equals(input.name()))
                .flatMap(then -> then.only(counted).difference(input.only(counted)).stream()))
        .toList();
  }
}
