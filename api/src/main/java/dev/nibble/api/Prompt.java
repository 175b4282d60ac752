package dev.nibble.api;

/** What a model is asked to continue. */
public sealed interface Prompt {

  /** This text, as it is. */
  record Text(String text) implements Prompt {}

  /**
   * A question in the form that the model was trained on: the prompt that its recipe makes of a row
   * with these columns, or of a user who says this.
   */
  record Row(String instruction, String input) implements Prompt {}
}
