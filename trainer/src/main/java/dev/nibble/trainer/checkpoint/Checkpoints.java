package dev.nibble.trainer.checkpoint;

import dev.nibble.compute.files.FileProblem;
import dev.nibble.compute.files.Folders;
import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.MalformedSafetensors;
import dev.nibble.trainer.optim.Optimizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The {@code checkpoint-N} folders of a run, N being the steps done. Each holds the trained
 * weights, {@code optimizer.safetensors} and {@code trainer_state.json}. A folder is written under
 * a temporary name and renamed when it is complete, so one that bears the name is whole.
 */
public final class Checkpoints {
  private static final Pattern FOLDER = Pattern.compile("checkpoint-(\\d{1,18})");

  private final Path outputDir;
  private final int keep;
  private final ModelFiles model;
  private final Optimizer optimizer;
  private final Kernels kernels;

  /**
   * Checkpoints in {@code outputDir}.
   *
   * @param keep how many of the newest are kept, besides the best; 0 for all
   */
  public Checkpoints(
      Path outputDir, int keep, ModelFiles model, Optimizer optimizer, Kernels kernels) {
    if (keep < 0) {
      throw new IllegalArgumentException("cannot keep %d checkpoints; 0 keeps all".formatted(keep));
    }
    this.outputDir = outputDir;
    this.keep = keep;
    this.model = model;
    this.optimizer = optimizer;
    this.kernels = kernels;
  }

  /** The newest complete checkpoint in a run's folder. */
  public static Optional<Path> latest(Path outputDir) {
    return list(outputDir).stream().reduce((older, newer) -> newer);
  }

  /** The checkpoint of the best evaluation that the newest one knows of, if it is there. */
  public static Optional<Path> best(Path outputDir) {
    return latest(outputDir)
        .map(newest -> {
          try {
            return TrainerStateFile.read(newest).best();
          } catch (IOException e) {
            throw new CheckpointException(
                "%s cannot be read: %s".formatted(newest, FileProblem.of(e)), e);
          }
        })
        .filter(best -> !best.isNone())
        .map(best -> outputDir.resolve("checkpoint-" + best.step()))
        .filter(Checkpoints::isComplete);
  }

  /** Whether a folder bears the name of a checkpoint. */
  public static boolean isNamedSo(Path folder) {
    return step(folder) >= 0;
  }

  /** Whether a folder is a complete checkpoint. */
  public static boolean isComplete(Path folder) {
    return isNamedSo(folder) && Files.exists(folder.resolve(TrainerStateFile.NAME));
  }

  /**
   * Writes a checkpoint and then removes those that are not to be kept.
   *
   * @return its folder
   * @throws CheckpointException when it cannot be written; nothing of it remains, and the others
   *     are as they were
   */
  public Path save(TrainerState state) {
    Path folder = outputDir.resolve("checkpoint-" + state.step());
    Path temporary = outputDir.resolve("checkpoint-" + state.step() + Folders.TEMPORARY);
    if (!Files.isDirectory(outputDir)) {
      throw CheckpointException.gone(outputDir, state.step());
    }
    try {
      Folders.delete(temporary);
      Files.createDirectory(temporary);
      write(temporary, state);
      Folders.replace(temporary, folder);
    } catch (IOException | UncheckedIOException e) {
      CheckpointException failure =
          CheckpointException.unwritable(
              "the checkpoint of step %d cannot be written to %s: %s. Earlier checkpoints are whole"
                  .formatted(state.step(), folder, FileProblem.of(e)),
              e);
      discard(temporary, failure);
      throw failure;
    } catch (RuntimeException | Error e) {
      discard(temporary, e);
      throw e;
    }
    removeLater(state);
    removeOld(state);
    return folder;
  }

  private void write(Path folder, TrainerState state) throws IOException {
    try (HostCopies host = new HostCopies(kernels)) {
      model.write(folder);
      OptimizerFile.write(folder, optimizer, host);
      TrainerStateFile.write(folder, state.withWeightsChecksum(weightsChecksum(host)));
    }
  }

  /**
   * Restores weights and the optimizer's state.
   *
   * @param expected what the run that goes on has in common with the one that stopped
   * @return what the rest of the run needs
   * @throws CheckpointException when the checkpoint is damaged or of another run
   */
  public TrainerState restore(Path folder, TrainerState.Run expected) {
    try (HostCopies host = new HostCopies(kernels)) {
      TrainerState state = TrainerStateFile.read(folder);
      SameRun.check(folder, state.run(), expected);
      OptimizerFile.read(folder, optimizer, state.updates());
      model.load(folder);
      if (weightsChecksum(host) != state.weightsChecksum()) {
        throw new CheckpointException(
            "%s holds other weights than were saved with it. Resume from an earlier checkpoint"
                .formatted(folder));
      }
      removeOld(state); // a run that was killed just after saving this one had no time to
      return state;
    } catch (IOException | UncheckedIOException | MalformedSafetensors e) {
      throw new CheckpointException(
          "%s cannot be read: %s. Resume from an earlier checkpoint"
              .formatted(folder, FileProblem.of(e)),
          e);
    }
  }

  private long weightsChecksum(HostCopies host) {
    return Checksum.of(host.of(optimizer.parameters().weights()));
  }

  /** Keeps the newest, and the one of the best evaluation. */
  private void removeOld(TrainerState state) {
    List<Path> course = list(outputDir).stream().filter(p -> step(p) <= state.step()).toList();
    course.subList(0, keep == 0 ? 0 : Math.max(0, course.size() - keep)).stream()
        .filter(p -> step(p) != state.best().step())
        .forEach(Checkpoints::remove);
  }

  /** Removes what a run left behind that went back to an earlier checkpoint. */
  private void removeLater(TrainerState state) {
    list(outputDir).stream().filter(p -> step(p) > state.step()).forEach(Checkpoints::remove);
  }

  private static void remove(Path old) {
    try {
      Folders.remove(old);
    } catch (IOException e) {
      throw new CheckpointException(
          "the old checkpoint %s cannot be deleted: %s. The newer ones are whole"
              .formatted(old, FileProblem.of(e)),
          e);
    }
  }

  /** Complete checkpoints, the oldest first. */
  private static List<Path> list(Path outputDir) {
    if (!Files.isDirectory(outputDir)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(outputDir)) {
      List<Path> found = new ArrayList<>(entries.filter(Checkpoints::isComplete).toList());
      found.sort(Comparator.comparingLong(Checkpoints::step));
      return found;
    } catch (IOException e) {
      throw new CheckpointException(
          "cannot look for checkpoints in %s: %s".formatted(outputDir, FileProblem.of(e)), e);
    }
  }

  /** The N of {@code checkpoint-N}; -1 for any other name. */
  private static long step(Path folder) {
    Matcher m = FOLDER.matcher(String.valueOf(folder.getFileName()));
    return m.matches() ? Long.parseLong(m.group(1)) : -1;
  }

  private static void discard(Path temporary, Throwable failure) {
    try {
      Folders.delete(temporary);
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }
}
