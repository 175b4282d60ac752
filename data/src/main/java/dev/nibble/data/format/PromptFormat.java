package dev.nibble.data.format;

import dev.nibble.data.rows.Nearest;
import dev.nibble.data.rows.Row;
import java.util.List;

/** How the columns of a row become a prompt and its answer. */
public sealed interface PromptFormat permits Alpaca, Completion, Messages {
  /** The names that a recipe may use. */
  List<String> NAMES = List.of("alpaca", "completion", "messages");

  /** The standard form of a format, by name. */
  static PromptFormat named(String name) {
    return switch (name) {
      case "alpaca" -> Alpaca.standard();
      case "completion" -> new Completion("text");
      case "messages" -> new Messages("messages");
      default ->
          throw new IllegalArgumentException(
              "unknown dataset type '%s'; known are %s.%s"
                  .formatted(name, NAMES, Nearest.hint(name, NAMES)));
    };
  }

  /**
   * The text of a row.
   *
   * @throws dev.nibble.data.rows.InvalidDataset when a column is missing or holds something else
   */
  Example example(Row row);

  /** The columns that every row must have. */
  List<String> requiredColumns();
}
