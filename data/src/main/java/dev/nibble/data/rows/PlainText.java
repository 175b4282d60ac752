package dev.nibble.data.rows;

import dev.nibble.jinja.Values;
import java.util.Optional;

/**
 * The text of single values, as Python's {@code json.dumps} writes them: {@code true}, {@code 7},
 * {@code 123456789.123}, {@code 1e-07}, {@code NaN}. What JSON has no form for (dates, decimals) is
 * text already where it is read.
 */
final class PlainText {
  private PlainText() {}

  /** The text; empty for lists, structs and values without a text form. */
  static Optional<String> of(Object value) {
    return switch (value) {
      case String text -> Optional.of(text);
      case Boolean b -> Optional.of(b.toString());
      case Double d when !Double.isFinite(d) -> Optional.of(d.toString());
      case Number n -> Optional.of(Values.text(Values.of(n)));
      default -> Optional.empty();
    };
  }
}
