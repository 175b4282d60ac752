package dev.nibble.api;

import java.nio.file.Path;
import java.util.Optional;

/** Policy for an output folder that already holds a run. */
public sealed interface ExistingRunPolicy {
  /** There must be none that has saved anything. */
  record Anew() implements ExistingRunPolicy {}

  /** Replace it. It stays aside until the new run has a checkpoint, and is then deleted. */
  record Overwrite() implements ExistingRunPolicy {}

  /**
   * Go on with it.
   *
   * @param checkpoint from this one; empty for the latest
   */
  record Resume(Optional<Path> checkpoint) implements ExistingRunPolicy {}
}
