package dev.nibble.data.format;

import dev.nibble.data.rows.Row;
import java.util.List;

/** Mapping from the columns of a row to a prompt and its answer. */
public sealed interface PromptFormat permits Alpaca, Chat, Completion {

  /**
   * The text of a row.
   *
   * @throws dev.nibble.data.rows.InvalidDataset when a column is missing or holds something else
   */
  Example example(Row row);

  /**
   * The question to which the last answer of a row is the answer.
   *
   * @throws dev.nibble.data.rows.InvalidDataset as {@link #example}
   */
  default PromptText question(Row row) {
    Example example = example(row);
    return new PromptText(example.prompt(), example.addsSpecialTokens(), example.answer());
  }

  /** The columns that are read of each row, as far as it has them. */
  List<String> columns();

  /** Reasons why a row may have no supervised token, for messages. */
  String unsupervisedReason();
}
