package dev.nibble.compute.files;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.EnumSet;
import java.util.Set;

/**
 * A guard against links that lead out of a folder of files that came from strangers, such as a
 * model's: what they point at would be read as part of the model, shown in errors, and copied into
 * exports.
 *
 * <p>A link may lead to a file of the same folder. The cache of Hugging Face's hub keeps {@code
 * snapshots/REVISION/FILE} as links to {@code ../../blobs/HASH}: those may be followed too. The
 * folder itself may be a link, as whoever named it chose it.
 */
public final class FolderLinks {
  /** A folder, and the folders in it. */
  private static final int DEPTH = 2;

  private FolderLinks() {}

  /**
   * Checks the links in a folder and in the folders in it. A folder that does not exist has none.
   *
   * @throws UnsafeLink when one leads elsewhere
   */
  public static void check(Path folder) {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try {
      Path real = folder.toRealPath();
      Set<FileVisitOption> notFollowing = EnumSet.noneOf(FileVisitOption.class);
      Files.walkFileTree(
          real,
          notFollowing,
          DEPTH,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              if (attributes.isSymbolicLink() && Files.exists(file)) {
                check(real, file, file.toRealPath());
              }
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
              return FileVisitResult.CONTINUE; // whoever needs the file will say so
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list %s: %s".formatted(folder, e.getMessage()), e);
    }
  }

  private static void check(Path folder, Path link, Path target) {
    if (!target.startsWith(folder) && !isBlob(folder, target)) {
      throw new UnsafeLink(
          "%s is a link to %s, outside its folder, and is not followed: put the file itself there, or give the folder that it lies in"
              .formatted(link, target));
    }
  }

  /** True for a blob of the hub's cache that {@code folder} is a snapshot in. */
  private static boolean isBlob(Path folder, Path target) {
    Path snapshots = folder.getParent();
    return snapshots != null
        && snapshots.endsWith("snapshots")
        && target.getParent() != null
        && target.getParent().equals(snapshots.resolveSibling("blobs"));
  }
}
