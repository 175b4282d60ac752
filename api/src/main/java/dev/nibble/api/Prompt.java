package dev.nibble.api;

/** Input of a generation. */
public sealed interface Prompt {

  /** A text, passed to the model unchanged. */
  record Text(String text) implements Prompt {}

  /**
   * A question in the form that the model was trained on: the prompt that its recipe makes of a row
   * with these columns, or of a user who says this.
   */
  record Row(String instruction, String input) implements Prompt {}
}
