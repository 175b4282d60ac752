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

  /** The columns that are read of each row, as far as it has them. */
  List<String> columns();

  /** The conversation that a question from the command line starts. */
  Conversation question(String instruction, String input);
}
