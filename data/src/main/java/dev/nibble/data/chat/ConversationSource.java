package dev.nibble.data.chat;

import dev.nibble.data.rows.Row;
import java.util.List;

/** Mapping from the columns of a row to a conversation. */
public interface ConversationSource {
  /**
   * The conversation of a row.
   *
   * @throws dev.nibble.data.rows.InvalidDataset when a column is missing or holds something else
   */
  Conversation conversation(Row row);

  /** The columns that every row must have. */
  List<String> requiredColumns();

  /** The conversation that a question from the command line starts. */
  Conversation question(String instruction, String input);
}
