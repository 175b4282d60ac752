package dev.nibble.cli.terminal;

import dev.nibble.api.text.Human;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.function.IntSupplier;

/**
 * Lines on standard output. On a terminal there may be one live line at the bottom, which the next
 * one replaces and {@link #close} erases; elsewhere there are no live lines, no colours and no
 * escape codes.
 */
public final class Console implements AutoCloseable {
  private static final int NAME = 10;
  private static final int INDENT = NAME + 3;

  private final PrintStream out;
  private final boolean terminal;
  private final boolean colours;
  private final IntSupplier columns;
  private int liveCells; // of the live line; 0 when there is none

  private Console(PrintStream out, boolean terminal, boolean colours, IntSupplier columns) {
    this.out = out;
    this.terminal = terminal;
    this.colours = colours;
    this.columns = columns;
  }

  /** Lines for a file or another program. */
  public static Console plain(PrintStream out) {
    return new Console(out, false, false, () -> Integer.MAX_VALUE);
  }

  /**
   * Lines for a person.
   *
   * @param colours whether text may have colours
   * @param columns width of the window, asked again for each line
   */
  public static Console terminal(PrintStream out, boolean colours, IntSupplier columns) {
    return new Console(out, true, colours, columns);
  }

  /** Lines that nobody sees. */
  public static Console silent() {
    return plain(new PrintStream(OutputStream.nullOutputStream()));
  }

  /**
   * Standard output; the launcher says whether it is a terminal, which one with {@code TERM=dumb}
   * is not. https://no-color.org is honoured.
   */
  public static Console standard() {
    if (!Boolean.getBoolean("nibble.terminal")) {
      return plain(System.out);
    }
    String noColour = System.getenv("NO_COLOR");
    return terminal(System.out, noColour == null || noColour.isEmpty(), WindowSize::columns);
  }

  /** Whether a person watches. */
  public boolean isTerminal() {
    return terminal;
  }

  /** Cells that a line may take: all but the last of the window, without limit elsewhere. */
  public int width() {
    return Math.max(1, columns.getAsInt() - 1);
  }

  /** A line that stays. */
  public synchronized void line(String text) {
    erase();
    out.println(text);
    out.flush();
  }

  /**
   * A line of a report: a name, and what there is to say of it. On a terminal it goes on below
   * itself, between words, where the window ends.
   */
  public synchronized void entry(String name, String text) {
    List<String> lines =
        terminal ? Cells.wrap(text, Math.max(NAME, width() - INDENT)) : List.of(text);
    line("  " + bold(("%-" + NAME + "s").formatted(name)) + " " + lines.getFirst());
    lines.stream().skip(1).forEach(rest -> line(" ".repeat(INDENT) + rest));
  }

  /** A line without escape codes that the next one replaces; nothing without a terminal. */
  public synchronized void live(String text) {
    if (terminal) {
      String shown = Cells.cut(text, width());
      erase();
      out.print(shown);
      out.flush();
      liveCells = Cells.of(shown);
    }
  }

  /** Text that stays without a line break, such as an answer that grows. */
  public synchronized void part(String text) {
    erase();
    out.print(text);
    out.flush();
  }

  /** A window that became narrower shows the live line in several rows: all of them go. */
  private void erase() {
    if (liveCells > 0) {
      int above = (liveCells - 1) / Math.max(1, columns.getAsInt());
      out.print((above > 0 ? "\033[" + above + "A" : "") + "\r\033[J");
      liveCells = 0;
    }
  }

  /** Erases the live line. */
  @Override
  public synchronized void close() {
    erase();
    out.flush();
  }

  /** A line with a name's bytes, below an entry. */
  public void bytes(String name, long bytes) {
    line(faint(" ".repeat(INDENT) + "%-22s %10s".formatted(name, Human.bytes(bytes))));
  }

  /** In bold. */
  public String bold(String text) {
    return style("1", text);
  }

  /** In a paler colour. */
  public String faint(String text) {
    return style("2", text);
  }

  /** In green. */
  public String green(String text) {
    return style("32", text);
  }

  /** Whether colours tell things apart. */
  public boolean hasColours() {
    return colours;
  }

  private String style(String code, String text) {
    return colours && !text.isEmpty() ? "\033[" + code + "m" + text + "\033[0m" : text;
  }
}
