package dev.nibble.trainer.run;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Files that a run reads.
 *
 * @param name of the setting that gives their place
 * @param path of a file or a folder
 * @param files that file, or those inside the folder
 */
public record RunInput(String name, String path, List<FileDigest> files) {

  /** Copies the list. */
  public RunInput {
    files = List.copyOf(files);
  }

  /** The same without some of the files. */
  public RunInput only(Predicate<FileDigest> wanted) {
    return new RunInput(name, path, files.stream().filter(wanted).toList());
  }

  /**
   * The first difference from what lies there now, in words; empty when there is none. Wherever it
   * lies now, and whatever a single file is called, makes none.
   */
  Optional<String> difference(RunInput now) {
    if (files.size() == 1 && now.files.size() == 1) {
      return difference(now.path, files.getFirst(), now.files.getFirst());
    }
    Map<String, FileDigest> then = byName(files);
    Map<String, FileDigest> later = byName(now.files);
    TreeSet<String> names = new TreeSet<>(then.keySet());
    names.addAll(later.keySet());
    for (String file : names) {
      String place = now.path + "/" + file;
      if (!then.containsKey(file)) {
        return Optional.of("%s: %s was not there then".formatted(name, place));
      }
      if (!later.containsKey(file)) {
        return Optional.of("%s: %s is gone".formatted(name, place));
      }
      Optional<String> difference = difference(place, then.get(file), later.get(file));
      if (difference.isPresent()) {
        return difference;
      }
    }
    return Optional.empty();
  }

  private static Map<String, FileDigest> byName(List<FileDigest> files) {
    return files.stream().collect(Collectors.toMap(FileDigest::name, Function.identity()));
  }

  private Optional<String> difference(String place, FileDigest then, FileDigest now) {
    if (then.bytes() == now.bytes() && then.sha256().equals(now.sha256())) {
      return Optional.empty();
    }
    return Optional.of(
        "%s: %s has changed: it had %s, now it has %s"
            .formatted(name, place, describe(then), describe(now)));
  }

  private static String describe(FileDigest file) {
    return "%d bytes and SHA-256 %s…".formatted(file.bytes(), file.sha256().substring(0, 12));
  }
}
