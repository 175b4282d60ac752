package dev.nibble.compute.safetensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Entry point for reading single files of the safetensors format
 * (github.com/huggingface/safetensors).
 */
public final class Safetensors {
  private Safetensors() {}

  /**
   * Maps a file into memory and checks its header. Tensors are read when they are touched.
   *
   * @throws MalformedSafetensors when the file is no safetensors file, is damaged, or holds a dtype
   *     that Nibble does not read
   * @throws UncheckedIOException when the file is missing or cannot be read
   */
  @SuppressWarnings("MustBeClosedChecker") // the file that is returned closes the arena
  public static SafetensorsFile open(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new UncheckedIOException(
          new IOException(
              file + (Files.exists(file) ? " is not a regular file" : " does not exist")));
    }
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      var bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      return new SafetensorsFile(file, arena, bytes, HeaderReader.read(file, bytes));
    } catch (IOException e) {
      arena.close();
      throw new UncheckedIOException("cannot read %s: %s".formatted(file, e.getMessage()), e);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }
}
