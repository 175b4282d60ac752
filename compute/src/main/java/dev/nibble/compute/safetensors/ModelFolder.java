package dev.nibble.compute.safetensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Diagnosis of a folder that holds no model. */
final class ModelFolder {
  private static final int SHOWN = 8;

  private ModelFolder() {}

  static MalformedSafetensors withoutTensors(Path folder) {
    String needs =
        "A model folder needs %s, or %s and the files it names"
            .formatted(ShardedSafetensors.SINGLE, ShardedSafetensors.INDEX);
    if (!Files.isDirectory(folder)) {
      String what = Files.exists(folder) ? "is not a folder" : "does not exist";
      return new MalformedSafetensors("%s %s. %s".formatted(folder, what, needs));
    }
    List<String> found = list(folder);
    String pickle =
        found.stream().anyMatch(f -> f.endsWith(".bin") || f.endsWith(".pt"))
            ? ". PyTorch's .bin and .pt files must be converted to safetensors first"
            : "";
    String names =
        found.isEmpty()
            ? "nothing"
            : String.join(", ", found.subList(0, Math.min(SHOWN, found.size())));
    String more = found.size() > SHOWN ? " and %d more".formatted(found.size() - SHOWN) : "";
    return new MalformedSafetensors(
        "%s holds no model. %s; it has %s%s%s".formatted(folder, needs, names, more, pickle));
  }

  private static List<String> list(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list %s: %s".formatted(folder, e.getMessage()), e);
    }
  }
}
