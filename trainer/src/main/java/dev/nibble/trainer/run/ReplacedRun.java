package dev.nibble.trainer.run;

import dev.nibble.compute.files.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The run that another one replaces. It lies in a folder of its own inside the run's folder until
 * the new run has a checkpoint, and is put back when that does not come. Each file is renamed by
 * itself; the file that makes a folder a run's goes first and comes back last, so that a process
 * that is killed in between leaves a state that {@link #recover} knows.
 */
final class ReplacedRun {
  /** The name of the folder. */
  static final String FOLDER = "replaced-run";

  private ReplacedRun() {}

  static boolean isIn(Path folder) {
    return Files.exists(folder.resolve(FOLDER));
  }

  /** Moves the run in a folder aside. */
  static void moveAside(Path folder) throws IOException {
    Path aside = Files.createDirectory(folder.resolve(FOLDER));
    for (Path part : RunFiles.of(folder).reversed()) {
      Files.move(part, aside.resolve(part.getFileName()), StandardCopyOption.ATOMIC_MOVE);
    }
  }

  /** Puts the run back, in place of one that has no checkpoint. */
  static void restore(Path folder) throws IOException {
    if (Files.exists(folder.resolve(Provenance.FILE))) {
      RunFiles.delete(folder);
    }
    Path aside = folder.resolve(FOLDER);
    for (Path part : partsIn(aside)) {
      Files.move(part, folder.resolve(part.getFileName()), StandardCopyOption.ATOMIC_MOVE);
    }
    Folders.delete(aside);
  }

  /** All that was moved, the file that makes a folder a run's last. */
  private static List<Path> partsIn(Path aside) throws IOException {
    try (Stream<Path> entries = Files.list(aside)) {
      List<Path> parts = new ArrayList<>(entries.toList());
      Path last = aside.resolve(Provenance.FILE);
      if (parts.remove(last)) {
        parts.add(last);
      }
      return parts;
    }
  }

  /** Deletes it. */
  static void delete(Path folder) throws IOException {
    Folders.remove(folder.resolve(FOLDER));
  }

  /** Finishes what a process that was killed had begun: one of the two runs stays. */
  static void recover(Path folder) throws IOException {
    if (!isIn(folder)) {
      return;
    }
    if (Files.exists(folder.resolve(Provenance.FILE)) && RunFiles.hasWork(folder)) {
      delete(folder);
    } else {
      restore(folder);
    }
  }
}
