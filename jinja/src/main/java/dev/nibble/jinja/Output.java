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
    points += part.codePointCount(0, part.length());
    if (joinsPair(part)) {
      points--;
    }
    text.append(part);
  }

  /** Whether two halves of a character meet, which is then one code point of the whole text. */
  private boolean joinsPair(String part) {
    return !part.isEmpty()
        && !text.isEmpty()
        && Character.isSurrogatePair(text.charAt(text.length() - 1), part.charAt(0));
  }

  /** Code points so far. */
  int points() {
    return points;
  }

  String text() {
    return text.toString();
  }
}
