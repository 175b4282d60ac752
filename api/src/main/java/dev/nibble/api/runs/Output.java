package dev.nibble.api.runs;

/** The lines in which a run tells what it does. */
public interface Output {
  /** A line that stays. */
  void line(String text);

  /** A line of a report: a name, and its value. */
  void entry(String name, String text);

  /** A line that the next one replaces, where somebody watches. */
  void live(String text);

  /** Text that stays, without a line break. */
  void part(String text);

  /** The text in bold, where that can be shown. */
  String bold(String text);

  /** The text in a paler colour, where that can be shown. */
  String faint(String text);

  /** The text in green, where that can be shown. */
  String green(String text);

  /** Whether colours can be shown. */
  boolean hasColours();
}
