package dev.nibble.errors;

/** Where an error comes from, and so who can do something about it. */
public enum Fault {
  /** What the user gave: a recipe, an argument, a model, a dataset, a folder. */
  USER,
  /** The machine: a missing driver or library, a full disk, too little memory. */
  MACHINE,
  /** Nibble itself. */
  BUG
}
