package dev.nibble.trainer.calibration;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.files.Folders;
import dev.nibble.trainer.export.ExportException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The state of a calibration on disk, from which a stopped one goes on: the tensors of each layer
 * that is done, and the residual streams before the next.
 *
 * @param path of a folder that holds nothing else
 */
public record CalibrationFolder(Path path) {
  /** What the folder belongs to. */
  private static final String REQUEST = "request.txt";

  /**
   * Takes a new folder, one that a process left when it was killed before it wrote anything, or
   * what an earlier calibration of the same request has left.
   *
   * @param request all that decides the result
   * @throws ExportException when there is what another request has left, or something else
   */
  void claim(String request) throws IOException {
    Path file = path.resolve(REQUEST);
    Files.createDirectories(path);
    if (Files.isRegularFile(file)) {
      if (!Files.readString(file).equals(request)) {
        throw new ExportException(
            "%s holds the beginning of a quantisation with other settings, data or weights; delete the folder to begin anew"
                .formatted(path));
      }
      return;
    }
    try (Stream<Path> entries = Files.list(path)) {
      if (entries.anyMatch(entry -> !entry.endsWith(REQUEST + ".tmp"))) {
        throw new ExportException(
            "%s holds files that are not those of a quantisation, which keeps its work in a folder of this name; move them"
                .formatted(path));
      }
    }
    AtomicFile.write(file, request);
  }

  /** The layer to go on with: the last whose input is there; 0 at the beginning. */
  int next(int layers) {
    for (int l = layers - 1; l > 0; l--) {
      if (Files.exists(streams(l))) {
        return l;
      }
    }
    return 0;
  }

  /** The file of the residual streams before a layer. */
  Path streams(int layer) {
    return path.resolve(String.format(Locale.ROOT, "streams-%05d.bin", layer));
  }

  /** The file of a layer's quantised weights. */
  Path weights(int layer) {
    return path.resolve(String.format(Locale.ROOT, "layer-%05d.safetensors", layer));
  }

  /** Deletes it, when it is of no more use. */
  public void delete() throws IOException {
    Folders.remove(path);
  }
}
