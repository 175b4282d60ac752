package dev.nibble.trainer.run;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.errors.Remedy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Where a run's result comes from, as {@code provenance.json} holds it: with the same of
 * everything, the run can be repeated.
 *
 * @param recipeSha256 fingerprint of the resolved recipe
 * @param seed of data order, initialisation and dropout
 * @param baseModel files of the base model
 * @param data files of the datasets
 * @param build which Nibble
 * @param machine where it ran
 * @param kernels which kernel set, as it describes itself
 */
public record Provenance(
    String recipeSha256,
    long seed,
    List<FileDigest> baseModel,
    List<FileDigest> data,
    Build build,
    Machine machine,
    String kernels) {

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build();

  /** Copies the lists. */
  public Provenance {
    baseModel = List.copyOf(baseModel);
    data = List.copyOf(data);
  }

  /** Writes {@code provenance.json}, whole or not at all. */
  public void write(Path file) throws IOException {
    AtomicFile.write(file, JSON.writeValueAsString(this) + "\n");
  }

  /** The recipe's fingerprint in a {@code provenance.json}. */
  static String recipeOf(Path file) {
    try {
      JsonNode recipe = JSON.readTree(Files.readString(file)).path("recipe_sha256");
      if (recipe.isString()) {
        return recipe.stringValue();
      }
      throw new RunException("%s names no recipe".formatted(file), Remedy.OVERWRITE);
    } catch (IOException | JacksonException e) {
      throw new RunException(
          "%s cannot be read: %s".formatted(file, e.getMessage()), Remedy.OVERWRITE, e);
    }
  }
}
