package dev.nibble.examples.wordnet;

import java.util.List;

/**
 * Rows of text.
 *
 * @param columns their names
 * @param rows one value for each column
 */
record Table(List<String> columns, List<List<String>> rows) {

  /** The values of one column. */
  List<String> column(String name) {
    int i = columns.indexOf(name);
    if (i < 0) {
      throw new IllegalArgumentException("no column '%s' among %s".formatted(name, columns));
    }
    return rows.stream().map(r -> r.get(i)).toList();
  }
}
