package dev.nibble.trainer.run;

import dev.nibble.adapters.PeftAdapter;
import dev.nibble.errors.Remedy;
import dev.nibble.trainer.checkpoint.Checkpoints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The output folder of one run. It becomes a run's folder when {@code provenance.json} is written
 * into it; from then on another run may only have it when the user says so.
 */
public final class RunDirectory {

  /** What a run may do with a folder that holds one. */
  public enum Mode {
    /** Nothing: the folder must be new or empty. */
    START,
    /** Go on with the run of the same recipe. */
    RESUME,
    /** Delete the files of the run that is there. */
    OVERWRITE
  }

  /** The file with the recipe of a run and all its defaults, by which a run's folder is known. */
  public static final String RECIPE = "recipe.resolved.yaml";

  private static final String PROVENANCE = "provenance.json";
  private static final List<String> OURS =
      List.of(
          PROVENANCE,
          "metrics.jsonl",
          "loss.svg",
          "eval.json",
          RECIPE,
          PeftAdapter.CONFIG,
          PeftAdapter.WEIGHTS);

  private final Path folder;

  private RunDirectory(Path folder) {
    this.folder = folder;
  }

  /**
   * Opens the folder for a run, and creates it when it is not there.
   *
   * @param recipeSha256 fingerprint of what decides the run's result
   * @throws RunException when the folder holds another run, or cannot be written
   */
  public static RunDirectory open(Path folder, String recipeSha256, Mode mode) {
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw new RunException("%s is a file".formatted(folder), Remedy.OTHER_FOLDER);
    }
    try {
      Files.createDirectories(folder);
      boolean holdsRun = Files.exists(folder.resolve(PROVENANCE));
      switch (mode) {
        case START -> checkEmpty(folder, holdsRun, recipeSha256);
        case RESUME -> checkSame(folder, holdsRun, recipeSha256);
        case OVERWRITE -> deleteRun(folder);
      }
      return new RunDirectory(folder);
    } catch (IOException e) {
      throw new RunException(
          "the folder %s cannot be used: %s".formatted(folder, e.getMessage()),
          Remedy.OTHER_FOLDER,
          e);
    }
  }

  private static void checkEmpty(Path folder, boolean holdsRun, String recipe) throws IOException {
    if (holdsRun) {
      boolean same = Provenance.recipeOf(folder.resolve(PROVENANCE)).equals(recipe);
      throw new RunException(
          "the folder %s holds a run of %s recipe already"
              .formatted(folder, same ? "this" : "another"),
          same ? Remedy.RESUME_OR_OVERWRITE : Remedy.OVERWRITE);
    }
    try (Stream<Path> entries = Files.list(folder)) {
      if (entries.findAny().isPresent()) {
        throw new RunException(
            "the folder %s is not empty, and what is in it is no run of Nibble".formatted(folder),
            Remedy.OTHER_FOLDER);
      }
    }
  }

  private static void checkSame(Path folder, boolean holdsRun, String recipe) {
    if (!holdsRun) {
      throw new RunException(
          "the folder %s holds no run to resume".formatted(folder), Remedy.START_ANEW);
    }
    if (!Provenance.recipeOf(folder.resolve(PROVENANCE)).equals(recipe)) {
      throw new RunException(
          "the folder %s holds a run of another recipe, which cannot go on with this one"
              .formatted(folder),
          Remedy.RESUME_ITS_RECIPE_OR_OVERWRITE);
    }
  }

  /** Deletes what a run writes and nothing else. */
  private static void deleteRun(Path folder) throws IOException {
    for (String name : OURS) {
      Files.deleteIfExists(folder.resolve(name));
    }
    Checkpoints.deleteAll(folder);
  }

  /** The folder. */
  public Path path() {
    return folder;
  }

  /** {@code metrics.jsonl}: a line for each step and evaluation. */
  public Path metrics() {
    return folder.resolve("metrics.jsonl");
  }

  /** {@code provenance.json}: where the run's result comes from. */
  public Path provenance() {
    return folder.resolve(PROVENANCE);
  }

  /** {@code loss.svg}: the loss curve. */
  public Path lossPlot() {
    return folder.resolve("loss.svg");
  }

  /** {@code eval.json}: accuracy before and after. */
  public Path evaluation() {
    return folder.resolve("eval.json");
  }

  /** {@code recipe.resolved.yaml}: the recipe with all defaults. */
  public Path resolvedRecipe() {
    return folder.resolve(RECIPE);
  }
}
