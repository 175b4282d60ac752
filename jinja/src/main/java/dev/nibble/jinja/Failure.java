package dev.nibble.jinja;

import dev.nibble.jinja.JinjaException.Kind;
import org.jspecify.annotations.Nullable;

/**
 * An error on its way to {@link Template}. Operations on values throw it without a place; the
 * innermost expression or statement that was being evaluated adds its own.
 */
final class Failure extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final Place START = new Place(1, 1);
  private static final int LONGEST = 2000;

  private final Kind kind;
  private final transient @Nullable Place place;

  private Failure(Kind kind, String reason, @Nullable Place place) {
    super(cut(reason), null, false, false);
    this.kind = kind;
    this.place = place;
  }

  /** A template may put any text of its own into a message. */
  private static String cut(String reason) {
    return reason.length() <= LONGEST
        ? reason
        : reason.substring(0, reason.offsetByCodePoints(0, LONGEST / 2)) + "...";
  }

  static Failure of(Kind kind, String reason) {
    return new Failure(kind, reason, null);
  }

  static Failure type(String reason) {
    return of(Kind.TYPE, reason);
  }

  static Failure value(String reason) {
    return of(Kind.VALUE, reason);
  }

  static Failure unsupported(String reason) {
    return of(Kind.UNSUPPORTED, reason);
  }

  static Failure limit(String reason) {
    return of(Kind.LIMIT, reason);
  }

  static Failure syntax(String reason, Place place) {
    return new Failure(Kind.SYNTAX, reason, place);
  }

  /** The same failure with a place, unless it has one. */
  Failure at(Place where) {
    return place == null ? new Failure(kind, reason(), where) : this;
  }

  Kind kind() {
    return kind;
  }

  String reason() {
    return String.valueOf(getMessage());
  }

  Place place() {
    return place == null ? START : place;
  }
}
