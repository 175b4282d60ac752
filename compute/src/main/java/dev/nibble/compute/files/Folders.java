package dev.nibble.compute.files;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/** Operations on whole folders: deleting one, and renaming one into place. */
public final class Folders {
  /** The suffix of folders that are still being written, or are about to be deleted. */
  public static final String TEMPORARY = ".tmp";

  /** What stands before that suffix while a folder is deleted. */
  public static final String OLD = ".old";

  private Folders() {}

  /** Deletes a folder with all that is in it, if it is there. Links are deleted, not followed. */
  public static void delete(Path folder) throws IOException {
    if (Files.notExists(folder)) {
      return;
    }
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path dir, @Nullable IOException error)
              throws IOException {
            if (error != null) {
              throw error;
            }
            Files.delete(dir);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /** Renames a folder before deleting it, so that a half-deleted one never has the name. */
  public static void remove(Path folder) throws IOException {
    Path unnamed = folder.resolveSibling(folder.getFileName() + OLD + TEMPORARY);
    delete(unnamed);
    Files.move(folder, unnamed, StandardCopyOption.ATOMIC_MOVE);
    delete(unnamed);
  }

  /** Renames {@code from} to {@code to}, in place of a folder that may be there. */
  public static void replace(Path from, Path to) throws IOException {
    sync(from);
    if (Files.exists(to)) {
      remove(to);
    }
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    sync(to.toAbsolutePath().getParent());
  }

  /** Waits until the names in a folder are on disk; a system that cannot is no reason to fail. */
  static void sync(@Nullable Path folder) {
    if (folder == null) {
      return;
    }
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      // Windows opens no folder as a channel; there the rename itself is all that can be had.
    }
  }
}
