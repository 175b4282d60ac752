package dev.nibble.api.runs;

import java.io.PrintStream;

/** Output without colours and live lines. */
record PlainOutput(PrintStream out) implements Output {
  @Override
  public void line(String text) {
    out.println(text);
  }

  @Override
  public void entry(String name, String text) {
    line("  %-10s %s".formatted(name, text));
  }

  @Override
  public void live(String text) {}

  @Override
  public void part(String text) {
    out.print(text);
  }

  @Override
  public String bold(String text) {
    return text;
  }

  @Override
  public String faint(String text) {
    return text;
  }

  @Override
  public String green(String text) {
    return text;
  }

  @Override
  public boolean hasColours() {
    return false;
  }
}
