package dev.nibble.cli.terminal;

import dev.nibble.api.text.Human;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.function.IntSupplier;

/**
 * Lines on standard output. On a terminal there may be one live line at the bottom, which the next
 * one replaces and {@link #close} erases; elsewhere there are no live lines, no colours and no
 * escape codes. Where there is a window, long texts go on below themselves. Control characters in a
 * text are shown, wherever it comes from.
 */
public final class Console implements AutoCloseable {
  private static final int NO_LIMIT = Integer.MAX_VALUE;
  private static final int NAME = 10;
  private static final int INDENT = NAME + 3;

  private final PrintStream out;
  private final boolean terminal;
  private final boolean colours;
  private final boolean exactAnswers;
  private final IntSupplier columns;
  private int liveCells; // of the live line; 0 when there is none

  private Console(
      PrintStream out,
      boolean terminal,
      boolean colours,
      boolean exactAnswers,
      IntSupplier columns) {
    this.out = out;
    this.terminal = terminal;
    this.colours = colours;
    this.exactAnswers = exactAnswers;
    this.columns = columns;
  }

  /** Lines for a file or another program. */
  public static Console plain(PrintStream out) {
    return new Console(out, false, false, true, () -> NO_LIMIT);
  }

  /** Lines for a person whose terminal knows no escape codes. */
  static Console dumb(PrintStream out, IntSupplier columns) {
    return new Console(out, false, false, false, columns);
  }

  /**
   * Lines for a person.
   *
   * @param colours whether text may have colours
   * @param columns width of the window, asked again for each line
   */
  public static Console terminal(PrintStream out, boolean colours, IntSupplier columns) {
    return new Console(out, true, colours, false, columns);
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
      return WindowSize.isOfATerminal() ? dumb(System.out, WindowSize::columns) : plain(System.out);
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
  public void line(String text) {
    line(new StyledText().plain(text));
  }

  /** A line that stays. */
  public void line(StyledText text) {
    print(text.line(colours) + System.lineSeparator());
  }

  /** Lines that stay: the text's line breaks and tabs are kept. */
  public void lines(StyledText text) {
    print(text.lines(colours) + System.lineSeparator());
  }

  private synchronized void print(String text) {
    erase();
    out.print(text);
    out.flush();
  }

  /**
   * A line of a report: a name, and what there is to say of it. In a window it goes on below
   * itself, between words, where that ends.
   */
  public void entry(String name, String text) {
    entry(
        new StyledText().plain("  ").bold(("%-" + NAME + "s").formatted(name)).plain(" "),
        INDENT,
        text);
  }

  /**
   * The same with a beginning of its own.
   *
   * @param indent cells that the beginning takes, and that the lines below it are indented
   */
  public synchronized void entry(StyledText beginning, int indent, String text) {
    String shown = ControlCharacters.shown(text);
    List<String> lines =
        isWindow() ? Cells.wrap(shown, Math.max(NAME, width() - indent)) : List.of(shown);
    line(beginning.plain(lines.getFirst()));
    lines.stream().skip(1).forEach(rest -> line(" ".repeat(indent) + rest));
  }

  /** A sentence without styles, see {@link #sentence(StyledText)}. */
  public void sentence(String text) {
    sentence(new StyledText().plain(text));
  }

  /**
   * A sentence. In a window it goes on below itself, between words and as far indented as it
   * begins, where that ends.
   */
  public synchronized void sentence(StyledText text) {
    if (isWindow()) {
      text.wrapped(Math.max(NAME, width())).forEach(this::line);
    } else {
      line(text);
    }
  }

  private boolean isWindow() {
    return columns.getAsInt() != NO_LIMIT;
  }

  /** A line that the next one replaces; nothing without a terminal. */
  public synchronized void live(String text) {
    if (terminal) {
      String shown = Cells.cut(ControlCharacters.shown(text), width());
      erase();
      out.print(shown);
      out.flush();
      liveCells = Cells.of(shown);
    }
  }

  /**
   * A part of a model's answer, without a line break after it. A file or another program gets it as
   * it is.
   */
  public void answer(String text) {
    print(exactAnswers ? text : ControlCharacters.shownInLines(text));
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
    line(
        new StyledText()
            .faint(" ".repeat(INDENT) + "%-22s %10s".formatted(name, Human.bytes(bytes))));
  }

  /** Whether colours tell things apart. */
  public boolean hasColours() {
    return colours;
  }
}
