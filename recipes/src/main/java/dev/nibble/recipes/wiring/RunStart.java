package dev.nibble.recipes.wiring;

import java.nio.file.Path;
import java.util.Optional;

/** What to do about a run that is in the output folder already. */
public sealed interface RunStart {
  /** There must be none. */
  record Anew() implements RunStart {}

  /** Delete it. */
  record Overwrite() implements RunStart {}

  /**
   * Go on with it.
   *
   * @param checkpoint from this one; empty for the latest
   */
  record Resume(Optional<Path> checkpoint) implements RunStart {}
}
