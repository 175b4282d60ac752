package dev.nibble.data.chat;

/** Ways in which less is learned of the answers in a row than the row seems to say. */
public enum Shortfall {
  /** An answer has no text. */
  EMPTY("with an empty answer, which is not learned"),
  /** A template writes other answers, or drops parts of them. */
  TEXT("with text of an answer that the chat template leaves out or changes"),
  /** Most templates keep the thinking of the last turn alone. */
  THINKING("with thinking that the chat template leaves out"),
  /** A template knows no tools. */
  CALLS("with tool calls that the chat template leaves out"),
  /** Such as a prompt that opens a block for thinking, before an answer without. */
  PROMPT("with an answer that does not begin as the generation prompt does"),
  /** Such as a prompt that ends in a space, which the tokenizer joins with the first word. */
  TOKEN("with an answer that shares a token with its prompt, so generation starts differently");

  private final String described;

  Shortfall(String described) {
    this.described = described;
  }

  /** What is to be said behind a number of rows. */
  public String described() {
    return described;
  }
}
