package dev.nibble.jinja;

/** Counters of the steps and the depth of a rendering, which stop it at its limits. */
final class Meter {
  /** Characters or items that are worth a step. */
  private static final int PORTION = 16;

  private final Limits limits;
  private long steps;
  private int depth;

  Meter(Limits limits) {
    this.limits = limits;
  }

  void enter() {
    steps(1);
    if (++depth > limits.depth()) {
      throw Failure.limit(
          "the template nests or calls itself more than " + limits.depth() + " deep");
    }
  }

  void leave() {
    depth--;
  }

  /** One evaluation, comparison or turn of a loop. */
  void step() {
    steps(1);
  }

  private void steps(long more) {
    steps += more;
    if (steps > limits.steps()) {
      throw Failure.limit("rendering takes more than %,d steps".formatted(limits.steps()));
    }
  }

  /** Notes that this many characters or items are about to be made or looked at. */
  void work(long size) {
    if (size > limits.text()) {
      throw Failure.limit("a text or list is longer than %,d".formatted(limits.text()));
    }
    steps(size / PORTION);
  }

  /** Notes that all of a value is about to be looked at. */
  void look(Value value) {
    work(Shape.size(value));
  }

  /** Notes that so much is about to be added to what has {@code size} already. */
  void grow(long size, long added) {
    work(added);
    if (size + added > limits.text()) {
      work(size + added);
    }
  }

  String text(String text) {
    work(text.length());
    return text;
  }
}
