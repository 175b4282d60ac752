package dev.nibble.trainer.plan;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.files.FileProblem;
import dev.nibble.compute.files.JsonError;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.quant.named.UnknownFormat;
import dev.nibble.quant.plan.PlannedFormat;
import dev.nibble.quant.plan.PlannedFormat.Planned;
import dev.nibble.quant.plan.UnplannableFormat;
import dev.nibble.trainer.model.build.ModelLoader;
import dev.nibble.trainer.run.FileDigest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * A weight format for each matrix of a model, as a JSON file has it.
 *
 * @param version of the file's form: {@value #VERSION}
 * @param budgetBytes that the matrices had to fit in
 * @param bytes that they take
 * @param bits of a weight
 * @param predictedDivergence the sum of what the matrices cost, in nats
 * @param base files of the weights that it was made for
 * @param matrices by the name of the weight, in the order of the forward pass
 */
public record FormatPlan(
    int version,
    long budgetBytes,
    long bytes,
    double bits,
    double predictedDivergence,
    List<FileDigest> base,
    SequencedMap<String, Matrix> matrices) {
  /** The only version of the file's form so far. */
  public static final int VERSION = 1;

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .build();

  /**
   * A matrix's size and format.
   *
   * @param rows outputs
   * @param cols inputs
   * @param format its name
   */
  public record Matrix(long rows, long cols, String format) {
    Shape shape() {
      return Shape.of(rows, cols);
    }
  }

  /** Copies list and map. */
  public FormatPlan {
    base = List.copyOf(base);
    matrices.values().forEach(Objects::requireNonNull); // as a file may have it
    matrices = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(matrices));
  }

  /** Whether a name is that of a file, and of no format. */
  public static boolean isFile(String name) {
    return name.endsWith(".json");
  }

  /**
   * The files of a model's weights, by which a plan knows it.
   *
   * @param folder of the model
   */
  public static List<FileDigest> weightsOf(Path folder) throws IOException {
    return FileDigest.ofModel(folder).stream().filter(FileDigest::isWeights).toList();
  }

  /** Writes the file, whole or not at all. */
  public void write(Path file) throws IOException {
    AtomicFile.write(file, JSON.writeValueAsString(this) + "\n");
  }

  /**
   * Reads a file.
   *
   * @throws PlanException when it is none, or names a format that no plan can have
   */
  public static FormatPlan read(Path file) {
    String text;
    try {
      text = Files.readString(file);
    } catch (IOException e) {
      throw new PlanException("%s cannot be read: %s".formatted(file, FileProblem.of(e)), e);
    }
    FormatPlan plan;
    try {
      plan = JSON.readValue(text, FormatPlan.class);
    } catch (JacksonException e) {
      throw new PlanException(
          "%s is no plan of weight formats as nibble plan writes it: %s"
              .formatted(file, JsonError.of(e, text)),
          e);
    }
    if (plan.version() != VERSION) {
      throw new PlanException(
          "%s is of version %d, expected %d".formatted(file, plan.version(), VERSION));
    }
    if (plan.matrices().isEmpty()) {
      throw new PlanException("%s plans no matrices".formatted(file));
    }
    plan.format(file);
    return plan;
  }

  private PlannedFormat format(Path file) {
    SequencedMap<String, Planned> weights = new LinkedHashMap<>();
    matrices.forEach((weight, matrix) -> {
      try {
        weights.put(weight, new Planned(matrix.shape(), PlannedFormat.candidate(matrix.format())));
      } catch (UnknownFormat | UnplannableFormat | IllegalArgumentException e) {
        throw new PlanException("%s: %s: %s".formatted(file, weight, e.getMessage()), e);
      }
    });
    return new PlannedFormat(weights);
  }

  /**
   * Reads the format of a model's weights.
   *
   * @param base folder of the model
   * @throws PlanException also when the plan was made for another model, or other weights
   */
  public static PlannedFormat formatFor(Path base, Path file) {
    FormatPlan plan = read(file);
    plan.requireFor(base, file);
    return plan.format(file);
  }

  /**
   * Reads the format of weights that the plan is known to be for: {@link #formatFor} reads all of
   * them to find out.
   *
   * @throws PlanException as {@link #read} does
   */
  public static PlannedFormat formatOf(Path file) {
    return read(file).format(file);
  }

  private void requireFor(Path folder, Path file) {
    try (ShardedSafetensors weights = ShardedSafetensors.open(folder)) {
      List<String> names = ModelLoader.linearWeights(folder, weights);
      Set<String> others = new TreeSet<>(matrices.keySet());
      for (String name : names) {
        Matrix planned = matrices.get(name);
        Shape shape = weights.tensor(name).shape();
        if (planned == null || !planned.shape().equals(shape)) {
          throw new PlanException(
              "%s is a plan for another model than %s, whose '%s' is %s; the plan has %s"
                  .formatted(
                      file, folder, name, shape, planned == null ? "none" : planned.shape()));
        }
        others.remove(name);
      }
      if (!others.isEmpty()) {
        throw new PlanException(
            "%s is a plan for another model than %s, which has no '%s'"
                .formatted(file, folder, others.iterator().next()));
      }
      if (!identity(weightsOf(folder)).equals(identity(base))) {
        throw new PlanException(
            "%s is a plan for other weights than those of %s: it was made for %s, and there is %s. Plan again for them"
                .formatted(file, folder, describe(base), describe(weightsOf(folder))));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whatever the files are called. */
  private static Set<Map.Entry<Long, String>> identity(List<FileDigest> files) {
    return files.stream()
        .map(f -> Map.entry(f.bytes(), f.sha256()))
        .collect(Collectors.toUnmodifiableSet());
  }

  private static String describe(List<FileDigest> files) {
    return files.stream()
        .map(f -> "%s (%d bytes, SHA-256 %.12s…)".formatted(f.name(), f.bytes(), f.sha256()))
        .collect(Collectors.joining(", "));
  }
}
