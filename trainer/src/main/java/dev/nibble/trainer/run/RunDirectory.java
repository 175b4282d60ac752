package dev.nibble.trainer.run;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.files.FileProblem;
import dev.nibble.errors.Remedy;
import dev.nibble.trainer.checkpoint.Checkpoints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The output folder of one run, held until it is closed: no other run may have it meanwhile. It is
 * opened, and everything about it checked, before anything is written; it holds this run from
 * {@link #begin} on. An earlier run that this one replaces stays until this one has a checkpoint.
 */
public final class RunDirectory implements AutoCloseable {

  /** What a run may do with a folder that holds one. */
  public enum Mode {
    /** Nothing: the folder must be new or empty, or hold a run that has saved nothing. */
    START,
    /** Go on with the run of the same settings. */
    RESUME,
    /** Replace the run that is there. */
    OVERWRITE
  }

  /** The file with the recipe of a run and all its defaults, by which a run's folder is known. */
  public static final String RECIPE = RunFiles.RECIPE;

  private final Path folder;
  private final FolderLock lock;
  private final boolean created;
  private boolean replaces;
  private boolean began;

  private RunDirectory(Path folder, FolderLock lock, boolean created) {
    this.folder = folder;
    this.lock = lock;
    this.created = created;
  }

  /**
   * Opens the folder for a run, and creates it when it is not there. What killed runs left half
   * done in it is cleaned up first.
   *
   * @throws RunException when the folder is in use, holds another run, or cannot be written
   */
  public static RunDirectory open(Path folder, RunSettings settings, Mode mode) {
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw new RunException("%s is a file".formatted(folder), Remedy.OTHER_FOLDER);
    }
    boolean missing = Files.notExists(folder);
    if (missing && mode == Mode.RESUME) {
      throw noRun(folder);
    }
    try {
      boolean wasKilled =
          Files.exists(folder.resolve(FolderLock.NAME)) || Files.exists(folder.resolve(RECIPE));
      Files.createDirectories(folder);
      RunDirectory directory = new RunDirectory(folder, FolderLock.acquire(folder), missing);
      try {
        directory.take(settings, mode, wasKilled);
        return directory;
      } catch (Throwable e) {
        try {
          directory.close();
        } catch (IOException suppressed) {
          e.addSuppressed(suppressed);
        }
        throw e;
      }
    } catch (IOException e) {
      throw new RunException(
          "the folder %s cannot be used: %s".formatted(folder, FileProblem.of(e)),
          Remedy.OTHER_FOLDER,
          e);
    }
  }

  private void take(RunSettings settings, Mode mode, boolean wasKilled) throws IOException {
    ReplacedRun.recover(folder);
    boolean holdsRun = Files.exists(folder.resolve(Provenance.FILE));
    if (!holdsRun && !RunFiles.foreign(folder).isEmpty()) {
      throw mode == Mode.RESUME
          ? noRun(folder)
          : new RunException(
              "the folder %s is not empty, and what is in it is no run of Nibble".formatted(folder),
              Remedy.OTHER_FOLDER);
    }
    RunFiles.clean(folder);
    boolean holdsWork = holdsRun && RunFiles.hasWork(folder);
    switch (mode) {
      case START -> {
        if (holdsWork) {
          throw taken(settings);
        }
        RunFiles.delete(folder);
      }
      case RESUME -> {
        if (!holdsRun && !wasKilled) {
          throw noRun(folder);
        }
        run().ifPresent(there -> requireSame(there.settings().differences(settings)));
      }
      case OVERWRITE -> {
        replaces = holdsWork;
        if (!holdsWork) {
          RunFiles.delete(folder);
        }
      }
    }
  }

  private RunException taken(RunSettings settings) {
    boolean same =
        run().map(there -> there.settings().differences(settings).isEmpty()).orElse(false);
    return new RunException(
        "the folder %s holds a run of %s recipe already"
            .formatted(folder, same ? "this" : "another"),
        same ? Remedy.RESUME_OR_OVERWRITE : Remedy.OVERWRITE);
  }

  private static RunException noRun(Path folder) {
    return new RunException(
        "the folder %s holds no run to resume".formatted(folder), Remedy.START_ANEW);
  }

  private void requireSame(List<String> differences) {
    if (!differences.isEmpty()) {
      throw new RunException(
          "the run in %s was made with other settings, so it cannot be resumed with these: %s"
              .formatted(folder, String.join("; ", differences)),
          Remedy.RESUME_ITS_RECIPE_OR_OVERWRITE);
    }
  }

  /** The run that is there to go on with, or to be replaced. */
  public Optional<Provenance> run() {
    return Provenance.read(folder);
  }

  /**
   * Checks that a run that goes on reads what it read before.
   *
   * @throws RunException naming what has changed
   */
  public void requireSameInputs(List<RunInput> now) {
    List<String> changes = run().map(there -> there.changes(now)).orElse(List.of());
    if (!changes.isEmpty()) {
      throw new RunException(
          "the run in %s was made with other files, so it cannot be resumed with these: %s"
              .formatted(folder, String.join("; ", changes)),
          Remedy.RESTORE_FILES_OR_OVERWRITE);
    }
  }

  /** The newest checkpoint of the run that is there. */
  public Optional<Path> latestCheckpoint() {
    return Checkpoints.latest(folder);
  }

  /** Makes the folder this run's. */
  public void begin(String resolvedRecipe, Provenance provenance) throws IOException {
    if (replaces) {
      ReplacedRun.moveAside(folder);
    }
    AtomicFile.write(folder.resolve(RECIPE), resolvedRecipe);
    provenance.write(folder);
    began = true;
  }

  /** This run has a checkpoint, so that the one it replaces is no longer needed. */
  public void checkpointWritten() throws IOException {
    if (ReplacedRun.isIn(folder)) {
      ReplacedRun.delete(folder);
    }
  }

  /** A finished run trains further: its weights so far are those of its latest checkpoint. */
  public void dropResult() throws IOException {
    if (RunFiles.hasResult(folder)) {
      RunFiles.deleteResult(folder);
    }
  }

  /** The folder. */
  public Path path() {
    return folder;
  }

  /** {@code metrics.jsonl}: a line for each step and evaluation. */
  public Path metrics() {
    return folder.resolve(RunFiles.METRICS);
  }

  /** {@code loss.svg}: the loss curve. */
  public Path lossPlot() {
    return folder.resolve(RunFiles.LOSS_PLOT);
  }

  /** {@code eval.json}: accuracy before and after. */
  public Path evaluation() {
    return folder.resolve(RunFiles.EVALUATION);
  }

  /** {@code answers.jsonl}: the answers before and after. */
  public Path answers() {
    return folder.resolve(RunFiles.ANSWERS);
  }

  /** The file of optimizer state that does not stay in memory, in a run's folder. */
  public static Path optimizerPages(Path folder) {
    return folder.resolve(RunFiles.PAGES);
  }

  /**
   * Lets others have the folder. A run that it was to replace is put back if it has saved nothing.
   */
  @Override
  public void close() throws IOException {
    try {
      if (began && ReplacedRun.isIn(folder)) {
        ReplacedRun.recover(folder);
      }
    } finally {
      lock.close();
      if (created) {
        deleteIfEmpty();
      }
    }
  }

  private void deleteIfEmpty() throws IOException {
    if (Files.isDirectory(folder)) {
      try (Stream<Path> entries = Files.list(folder)) {
        if (entries.findAny().isPresent()) {
          return;
        }
      }
      Files.delete(folder);
    }
  }
}
