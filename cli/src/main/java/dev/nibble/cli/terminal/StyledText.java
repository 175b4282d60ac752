package dev.nibble.cli.terminal;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Text in parts, each plain or in a style. It may hold anything: only the style is obeyed. */
public final class StyledText {
  private final List<Part> parts = new ArrayList<>();

  private enum Style {
    PLAIN(""),
    BOLD("1"),
    FAINT("2"),
    GREEN("32"),
    BOLD_GREEN("1;32");

    private final String code;

    Style(String code) {
      this.code = code;
    }
  }

  private record Part(Style style, String text) {}

  private StyledText with(Style style, String text) {
    parts.add(new Part(style, text));
    return this;
  }

  /** Adds a text without a style. */
  public StyledText plain(String text) {
    return with(Style.PLAIN, text);
  }

  /** Adds a text in bold. */
  public StyledText bold(String text) {
    return with(Style.BOLD, text);
  }

  /** Adds a text in a paler colour. */
  public StyledText faint(String text) {
    return with(Style.FAINT, text);
  }

  /** Adds a text in green. */
  public StyledText green(String text) {
    return with(Style.GREEN, text);
  }

  /** Adds a text in bold green. */
  public StyledText boldGreen(String text) {
    return with(Style.BOLD_GREEN, text);
  }

  /**
   * The text in lines of at most so many cells, broken between words, all as far indented as it
   * begins.
   */
  List<StyledText> wrapped(int most) {
    List<Part> shown =
        parts.stream().map(p -> new Part(p.style, ControlCharacters.shown(p.text))).toList();
    String all = shown.stream().map(Part::text).collect(Collectors.joining());
    int indent = all.length() - all.stripLeading().length();
    List<StyledText> lines = new ArrayList<>();
    int from = indent;
    for (String line : Cells.wrap(all.substring(indent), Math.max(1, most - indent))) {
      StyledText part = new StyledText().plain(" ".repeat(indent));
      slice(shown, from, from + line.length()).forEach(part.parts::add);
      lines.add(part);
      from += line.length() + 1; // the space between words
    }
    return lines;
  }

  private static List<Part> slice(List<Part> parts, int from, int to) {
    List<Part> slices = new ArrayList<>();
    int start = 0;
    for (Part part : parts) {
      int end = start + part.text.length();
      if (from < end && start < to) {
        int first = Math.max(from, start) - start;
        slices.add(new Part(part.style, part.text.substring(first, Math.min(to, end) - start)));
      }
      start = end;
    }
    return slices;
  }

  /** The text in one line. */
  String line(boolean colours) {
    return rendered(colours, false);
  }

  /** The text with its line breaks and tabs. */
  String lines(boolean colours) {
    return rendered(colours, true);
  }

  private String rendered(boolean colours, boolean inLines) {
    StringBuilder all = new StringBuilder();
    for (Part part : parts) {
      String shown =
          inLines ? ControlCharacters.shownInLines(part.text) : ControlCharacters.shown(part.text);
      boolean styled = colours && part.style != Style.PLAIN && !shown.isEmpty();
      all.append(styled ? "\033[" + part.style.code + "m" + shown + "\033[0m" : shown);
    }
    return all.toString();
  }
}
