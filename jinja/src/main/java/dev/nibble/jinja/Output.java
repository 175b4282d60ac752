package dev.nibble.jinja;

/** Text that grows while a template or a block of it is rendered. */
final class Output {
  private final Meter meter;
  private final StringBuilder text = new StringBuilder();
  private int points;

  Output(Meter meter) {
    this.meter = meter;
  }

  void add(String part) {
    meter.grow(text.length(), part.length());
    text.append(part);
    points += part.codePointCount(0, part.length());
  }

  /** Code points so far. */
  int points() {
    return points;
  }

  String text() {
    return text.toString();
  }
}
