package dev.nibble.api.export;

import dev.nibble.adapters.PeftAdapter;
import dev.nibble.compute.files.Folders;
import dev.nibble.errors.Remedy;
import dev.nibble.trainer.export.ExportException;
import dev.nibble.trainer.model.config.ModelFolder;
import dev.nibble.trainer.run.TrainedWeights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The place that an export goes to. What is written is put there as a whole when it is complete.
 *
 * @param path of a folder or a file
 * @param overwrite whether an earlier export there may be replaced
 */
record ExportTarget(Path path, boolean overwrite) {

  /** Writer of a folder's content, into a temporary place. */
  interface Content<T> {
    T writeTo(Path folder) throws IOException;
  }

  /** Refuses a folder that holds what an export would not have written. */
  void checkFolder() throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    if (!Files.isDirectory(path)) {
      throw new ExportException(path + " is a file; expected a folder to write");
    }
    try (Stream<Path> entries = Files.list(path)) {
      if (entries.findAny().isEmpty()) {
        return;
      }
    }
    if (TrainedWeights.runOf(path).isPresent()) {
      throw new ExportException(path + " is the folder of a run; choose another place");
    }
    boolean model =
        Files.exists(path.resolve(ModelFolder.CONFIG))
            || Files.exists(path.resolve(PeftAdapter.CONFIG));
    if (!model) {
      throw new ExportException(
          path + " is not empty, and what is in it is no model; choose a folder that is new");
    }
    if (!overwrite) {
      throw new ExportException(path + " holds a model already", Remedy.OVERWRITE_EXPORT);
    }
  }

  /** Refuses a file that is there. */
  void checkFile() {
    if (Files.isDirectory(path)) {
      throw new ExportException(path + " is a folder; expected a file to write");
    }
    if (Files.exists(path) && !overwrite) {
      throw new ExportException(path + " exists", Remedy.OVERWRITE_EXPORT);
    }
  }

  /** Puts a folder in place when {@code content} has filled it, and nothing when that fails. */
  <T> T write(Content<T> content) throws IOException {
    checkFolder();
    Path absolute = path.toAbsolutePath().normalize();
    Path unfinished = absolute.resolveSibling(absolute.getFileName() + Folders.TEMPORARY);
    try {
      Folders.delete(unfinished);
      Files.createDirectories(absolute.getParent());
      Files.createDirectory(unfinished); // never what somebody else put there
      T written = content.writeTo(unfinished);
      Folders.replace(unfinished, absolute);
      return written;
    } finally {
      Folders.delete(unfinished);
    }
  }
}
