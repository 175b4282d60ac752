package dev.nibble.trainer.run;

import dev.nibble.adapters.PeftAdapter;
import dev.nibble.compute.files.Folders;
import dev.nibble.trainer.checkpoint.Checkpoints;
import dev.nibble.trainer.model.config.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The names of what a run writes into its folder, and so of what may be deleted with it. */
final class RunFiles {
  static final String RECIPE = "recipe.resolved.yaml";
  static final String METRICS = "metrics.jsonl";
  static final String LOSS_PLOT = "loss.svg";
  static final String EVALUATION = "eval.json";
  static final String ANSWERS = "answers.jsonl";
  static final String PAGES = "optimizer.pages";
  private static final String MODEL_WEIGHTS = "model.safetensors";

  private static final List<String> RECORDS =
      List.of(RECIPE, METRICS, LOSS_PLOT, EVALUATION, ANSWERS, PAGES, Provenance.FILE);
  private static final List<String> ADAPTER = List.of(PeftAdapter.CONFIG, PeftAdapter.WEIGHTS);
  private static final List<String> MODEL =
      Stream.concat(Stream.of(ModelFolder.CONFIG, MODEL_WEIGHTS), ModelFolder.companions().stream())
          .toList();
  private static final Set<String> ALL =
      Stream.of(RECORDS, ADAPTER, MODEL).flatMap(List::stream).collect(Collectors.toSet());

  private RunFiles() {}

  /** Whether the folder holds the trained weights of a finished run. */
  static boolean hasResult(Path folder) {
    return hasAdapter(folder) || hasModel(folder);
  }

  private static boolean hasAdapter(Path folder) {
    return ADAPTER.stream().allMatch(name -> Files.exists(folder.resolve(name)));
  }

  private static boolean hasModel(Path folder) {
    return Files.exists(folder.resolve(ModelFolder.CONFIG))
        && Files.exists(folder.resolve(MODEL_WEIGHTS));
  }

  /** Whether anything was trained: the weights of a finished run, or a checkpoint. */
  static boolean hasWork(Path folder) {
    return hasResult(folder) || Checkpoints.latest(folder).isPresent();
  }

  /** What is neither a part of a run nor left by one that was killed. */
  static List<Path> foreign(Path folder) throws IOException {
    return list(folder, path -> !isLeftover(path) && !name(path).equals(RECIPE) && !isLock(path));
  }

  /** The parts of a run, the one that makes it a run last. */
  static List<Path> of(Path folder) throws IOException {
    boolean model = Files.exists(folder.resolve(MODEL_WEIGHTS));
    List<Path> parts =
        new ArrayList<>(
            list(
                folder,
                path ->
                    RECORDS.contains(name(path))
                        || ADAPTER.contains(name(path))
                        || Checkpoints.isNamedSo(path)
                        || (model && MODEL.contains(name(path)))));
    Path last = folder.resolve(Provenance.FILE);
    if (parts.remove(last)) {
      parts.add(last);
    }
    return parts;
  }

  /** Deletes what a run that was killed left half done. */
  static void clean(Path folder) throws IOException {
    for (Path leftover : list(folder, RunFiles::isLeftover)) {
      Folders.delete(leftover);
    }
  }

  /** Deletes the parts of a run. */
  static void delete(Path folder) throws IOException {
    for (Path part : of(folder)) {
      Folders.delete(part);
    }
  }

  /**
   * Deletes the trained weights and what was measured of them, beginning with what makes them
   * whole.
   */
  static void deleteResult(Path folder) throws IOException {
    List<String> names = hasModel(folder) ? MODEL : ADAPTER;
    for (String name : names) {
      Files.deleteIfExists(folder.resolve(name));
    }
    Files.deleteIfExists(folder.resolve(EVALUATION));
    Files.deleteIfExists(folder.resolve(ANSWERS));
  }

  private static boolean isLock(Path path) {
    return name(path).equals(FolderLock.NAME);
  }

  private static boolean isLeftover(Path path) {
    String name = name(path);
    if (name.equals(PAGES)) {
      return true;
    }
    if (!name.endsWith(Folders.TEMPORARY)) {
      return false;
    }
    String target = without(Folders.OLD, without(Folders.TEMPORARY, name));
    return ALL.contains(target)
        || target.equals(ReplacedRun.FOLDER)
        || Checkpoints.isNamedSo(path.resolveSibling(target));
  }

  private static String without(String suffix, String name) {
    return name.endsWith(suffix) ? name.substring(0, name.length() - suffix.length()) : name;
  }

  private static List<Path> list(Path folder, Predicate<Path> wanted) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.filter(wanted).sorted().toList();
    }
  }

  private static String name(Path path) {
    return String.valueOf(path.getFileName());
  }
}
