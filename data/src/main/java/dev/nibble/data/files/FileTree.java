package dev.nibble.data.files;

import dev.nibble.data.rows.InvalidDataset;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Data files below a folder, in the order of their paths. */
final class FileTree {
  /** Deeper folders are not looked into: the layouts of datasets are flat. */
  private static final int MOST_LEVELS = 8;

  private FileTree() {}

  /**
   * The files whose names say that they hold rows. Hidden and temporary ones, files that describe a
   * dataset, and empty text files are none.
   */
  static List<Path> dataFiles(Path folder) {
    return files(
        folder,
        MOST_LEVELS,
        path -> !isHidden(path) && DataFile.of(path).isPresent() && !DataFile.isDescription(path));
  }

  /** All files but hidden and temporary ones, and empty text files. */
  static List<Path> all(Path folder) {
    return files(folder, MOST_LEVELS, path -> !isHidden(path));
  }

  /** The files that match a glob whose folders before the first wildcard are plain. */
  static List<Path> matching(Path glob) {
    Path base = glob;
    while (isGlob(base)) {
      base = base.getParent() == null ? Path.of("") : base.getParent();
    }
    if (!Files.isDirectory(base.toAbsolutePath())) {
      throw new InvalidDataset(glob + ": there is no folder " + base + " to look for files in.");
    }
    String pattern = base.relativize(glob).toString();
    PathMatcher exact = glob.getFileSystem().getPathMatcher("glob:" + pattern);
    PathMatcher flat = glob.getFileSystem().getPathMatcher("glob:" + pattern.replace("**/", ""));
    int levels = pattern.contains("**") ? MOST_LEVELS : Path.of(pattern).getNameCount();
    return files(
        base, levels, path -> (exact.matches(path) || flat.matches(path)) && !isHidden(path));
  }

  /** Whether a path has wildcards. */
  static boolean isGlob(Path path) {
    return path.toString().chars().anyMatch(c -> "*?[{".indexOf(c) >= 0);
  }

  private static boolean isHidden(Path relative) {
    for (Path name : relative) {
      if (DataFile.isHidden(name)) {
        return true;
      }
    }
    return false;
  }

  private static List<Path> files(Path folder, int levels, Predicate<Path> wanted) {
    try (Stream<Path> paths = Files.walk(folder, levels, FileVisitOption.FOLLOW_LINKS)) {
      return paths
          .filter(path -> !Files.isDirectory(path) && wanted.test(folder.relativize(path)))
          .sorted()
          .peek(FileTree::check)
          .filter(FileTree::hasContent)
          .toList();
    } catch (UncheckedIOException e) {
      throw unlisted(folder, Objects.requireNonNull(e.getCause()));
    } catch (IOException e) {
      throw unlisted(folder, e);
    }
  }

  private static InvalidDataset unlisted(Path folder, IOException e) {
    String problem =
        e instanceof FileSystemLoopException
            ? "a link in it leads back to a folder above it"
            : String.valueOf(e.getMessage());
    return new InvalidDataset(folder + ": cannot be listed: " + problem, e);
  }

  private static void check(Path file) {
    if (!Files.exists(file)) {
      throw new InvalidDataset(file + ": is a link to a file that is missing. Copy that file too.");
    }
  }

  private static boolean hasContent(Path file) {
    try {
      return Files.size(file) > 0 || !DataFile.of(file).map(DataFile::isText).orElse(false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
