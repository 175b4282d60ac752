package dev.nibble.recipes.schema;

/** Yes, no, or what suits the machine. */
public enum AutoFlag {
  /** What suits. */
  AUTO,
  /** Yes. */
  TRUE,
  /** No. */
  FALSE
}
