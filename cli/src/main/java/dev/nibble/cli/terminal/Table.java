package dev.nibble.cli.terminal;

import java.util.List;

/**
 * A table of text, its first row the heads.
 *
 * @param rows all with as many cells as the first
 * @param leftColumns columns from the left whose cells begin below one another; those of the
 *     others, numbers, end below one another
 */
public record Table(List<List<String>> rows, int leftColumns) {
  private static final int BETWEEN = 2;

  /** A table of words. */
  public static Table ofWords(List<List<String>> rows) {
    return new Table(rows, rows.getFirst().size());
  }

  /** Writes the table, indented. */
  public void write(Console console) {
    int columns = rows.getFirst().size();
    int[] widths = new int[columns];
    rows.forEach(row -> {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], Cells.of(row.get(i)));
      }
    });
    for (int r = 0; r < rows.size(); r++) {
      StringBuilder line = new StringBuilder("  ");
      for (int i = 0; i < columns; i++) {
        String cell = rows.get(r).get(i);
        int room = widths[i] - Cells.of(cell);
        boolean left = i < leftColumns;
        line.repeat(" ", left ? 0 : room).append(cell).repeat(" ", left ? room : 0);
        line.repeat(" ", BETWEEN);
      }
      String text = line.toString().stripTrailing();
      if (r == 0) {
        console.line(new StyledText().bold(text));
      } else {
        console.line(text);
      }
    }
  }
}
