package dev.nibble.cli.terminal;

import dev.nibble.api.text.Human;
import java.io.PrintStream;

/**
 * Lines on standard output. On a terminal there may be one live line at the bottom, which the next
 * one replaces; elsewhere there are no live lines and no colours.
 */
public final class Console {
  private static final String ERASE = "\r\033[K";
  // Without wrapping, a line wider than the window is cut at its edge and can still be erased.
  private static final String NO_WRAP = "\033[?7l";
  private static final String WRAP = "\033[?7h";

  private final PrintStream out;
  private final boolean terminal;
  private final boolean colours;
  private boolean live;

  /**
   * A console.
   *
   * @param terminal whether a person watches
   * @param colours whether text may have colours
   */
  public Console(PrintStream out, boolean terminal, boolean colours) {
    this.out = out;
    this.terminal = terminal;
    this.colours = terminal && colours;
  }

  /**
   * Standard output; the launcher says whether it is a terminal. https://no-color.org is honoured.
   */
  public static Console standard() {
    String noColour = System.getenv("NO_COLOR");
    return new Console(
        System.out, Boolean.getBoolean("nibble.terminal"), noColour == null || noColour.isEmpty());
  }

  /** Whether a person watches. */
  public boolean isTerminal() {
    return terminal;
  }

  /** A line that stays. */
  public synchronized void line(String text) {
    clear();
    out.println(text);
    out.flush();
  }

  /** A line of a report: a name, and what there is to say of it. */
  public void entry(String name, String text) {
    line("  " + bold("%-10s".formatted(name)) + " " + text);
  }

  /** A line that the next one replaces; nothing without a terminal. */
  public synchronized void live(String text) {
    if (terminal) {
      out.print(ERASE + NO_WRAP + text + WRAP);
      out.flush();
      live = true;
    }
  }

  /** Text that stays without a line break, such as an answer that grows. */
  public synchronized void part(String text) {
    clear();
    out.print(text);
    out.flush();
  }

  private void clear() {
    if (live) {
      out.print(ERASE);
      live = false;
    }
  }

  /** A line with a name's bytes, below an entry. */
  public void bytes(String name, long bytes) {
    line(faint("             %-22s %10s".formatted(name, Human.bytes(bytes))));
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
