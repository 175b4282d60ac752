package dev.nibble.data.natives;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * A temporary folder, of this user only, for libraries that unpack a native part of themselves when
 * they are first used. It is deleted as soon as that is loaded: nothing is left behind, however the
 * process ends.
 */
public final class Unpacking {
  private static final String PREFIX = "nibble-library";
  private static final String TEMPORARY = "java.io.tmpdir";

  private Unpacking() {}

  /** Loads a library that takes the folder to unpack into. */
  public static void into(Consumer<Path> loading) {
    try {
      Path folder = Files.createTempDirectory(PREFIX);
      folder.toFile().deleteOnExit(); // where a loaded library cannot be deleted
      try {
        loading.accept(folder);
      } finally {
        empty(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot unpack a native library: " + e.getMessage(), e);
    }
  }

  /** Loads a library that asks for the temporary folder each time. */
  public static synchronized void intoTemporary(Runnable loading) {
    into(folder -> {
      String before = System.setProperty(TEMPORARY, folder.toString());
      try {
        loading.run();
      } finally {
        System.setProperty(TEMPORARY, before);
      }
    });
  }

  private static void empty(Path folder) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(folder);
    } catch (AccessDeniedException e) {
      // Windows keeps what is loaded; the library deletes it when the process ends.
    }
  }
}
