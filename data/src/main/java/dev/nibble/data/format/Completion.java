package dev.nibble.data.format;

import dev.nibble.data.rows.Row;
import java.util.List;

/**
 * Plain text to continue, all of it supervised.
 *
 * @param column that holds the text
 */
public record Completion(String column) implements PromptFormat {
  @Override
  public Example example(Row row) {
    return new Example(List.of(new Segment(row.text(column), true)));
  }

  @Override
  public List<String> columns() {
    return List.of(column);
  }

  @Override
  public String unsupervisedReason() {
    return "every %s is empty".formatted(column);
  }
}
