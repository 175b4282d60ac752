package dev.nibble.trainer.checkpoint;

import dev.nibble.errors.NibbleException;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Writes what trains into a folder and reads it back, to the bit: as an adapter or as whole
 * weights, which the loop does not need to know.
 */
public interface ModelFiles {

  /** Writes the trained weights into an existing folder. */
  void save(Path folder) throws IOException;

  /**
   * The same; what cannot be written is an {@link IOException}, whatever the writer makes of it.
   */
  default void write(Path folder) throws IOException {
    try {
      save(folder);
    } catch (NibbleException e) {
      if (e.getCause() instanceof IOException unwritable) {
        throw unwritable;
      }
      throw e;
    }
  }

  /** Sets the trained weights to those that {@link #save} wrote into {@code folder}. */
  void load(Path folder) throws IOException;
}
