package dev.nibble.recipes.schema;

/** A switch that is on, off, or set to what suits the machine. */
public enum AutoFlag {
  /** What suits the machine. */
  AUTO,
  /** Yes. */
  TRUE,
  /** No. */
  FALSE
}
