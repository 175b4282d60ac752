package dev.nibble.compute.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Atomic writing of a file: all of it, or nothing. */
public final class AtomicFile {
  private AtomicFile() {}

  /** The content of a file, written to a channel. */
  public interface Content {
    void writeTo(SeekableByteChannel out) throws IOException;
  }

  /**
   * Writes beside the file, forces the bytes to the disk, and only then renames over it.
   *
   * @throws IOException when writing fails; the file is then as it was, and nothing is left beside
   *     it
   */
  public static void write(Path file, Content content) throws IOException {
    Path target = file.toAbsolutePath();
    Path temporary = target.resolveSibling(target.getFileName() + ".tmp");
    try {
      Files.deleteIfExists(temporary); // left by a process that was killed
      // Never what somebody else put there, such as a link that leads out of the folder.
      try (FileChannel out =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        content.writeTo(out);
        out.force(true);
      }
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      deleteAfter(e, temporary);
      throw new IOException("cannot write %s: %s".formatted(file, FileProblem.of(e)), e);
    } catch (RuntimeException | Error e) {
      deleteAfter(e, temporary);
      throw e;
    }
    Folders.sync(target.getParent()); // only then does the rename itself survive a power cut
  }

  /** Writes these bytes, as {@link #write(Path, Content)} does. */
  public static void write(Path file, byte[] bytes) throws IOException {
    write(file, out -> WholeWrites.write(out, ByteBuffer.wrap(bytes)));
  }

  /** Writes this text in UTF-8, as {@link #write(Path, Content)} does. */
  public static void write(Path file, String text) throws IOException {
    write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  private static void deleteAfter(Throwable failure, Path temporary) {
    try {
      Files.deleteIfExists(temporary);
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }
}
