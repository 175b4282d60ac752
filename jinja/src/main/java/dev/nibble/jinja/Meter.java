package dev.nibble.jinja;

/**
 * Counters of the steps and the depth of a rendering, which stop it at its limits.
 *
 * <p>A step is an evaluation, some 50 ns. Whatever takes longer is charged in proportion before it
 * is done, so that a limit of steps bounds time: characters that are copied, searched or compared
 * many for a step, items and characters that are handled one by one few, and numbers by what their
 * arithmetic costs.
 */
final class Meter {
  /** Characters that are copied, searched or compared in a step. */
  private static final int COPIED = 8;

  /** Items or characters that are looked at one by one in a step. */
  private static final int HANDLED = 2;

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

  /** Work that takes as long as so many evaluations. */
  void steps(long more) {
    steps += more;
    if (steps > limits.steps()) {
      throw Failure.limit("rendering takes more than %,d steps".formatted(limits.steps()));
    }
  }

  /** Notes that so many characters are about to be copied, searched or compared. */
  void work(long size) {
    check(size);
    steps(size / COPIED);
  }

  /** Notes that so many items or characters are about to be looked at one by one. */
  void each(long size) {
    check(size);
    steps(size / HANDLED);
  }

  private void check(long size) {
    if (size > limits.text()) {
      throw Failure.limit("a text or list is longer than %,d".formatted(limits.text()));
    }
  }

  /** Notes that a value is about to be looked at, but not into the texts that it holds. */
  void look(Value value) {
    work(Shape.size(value));
  }

  /** Notes that all of a value is about to be looked at, texts that it holds among it. */
  void read(Value value) {
    steps(Shape.weight(value) / COPIED);
  }

  /** Notes that two values are about to be compared. */
  void compare(Value a, Value b) {
    steps(1 + Math.min(Shape.weight(a), Shape.weight(b)) / COPIED);
  }

  /** Notes that so much is about to be added to what has {@code size} already. */
  void grow(long size, long added) {
    work(added);
    check(size + added);
  }

  String text(String text) {
    work(text.length());
    return text;
  }
}
