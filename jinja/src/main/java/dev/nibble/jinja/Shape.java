package dev.nibble.jinja;

import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.Range;
import dev.nibble.jinja.Value.Text;
import java.util.Collection;

/**
 * Size and depth of a list or dictionary. Values are bounded when they are made, so that whatever
 * goes through one (comparing, printing) ends soon and never exhausts the stack.
 *
 * @param depth levels of nesting
 * @param size values inside, those that occur several times counted as often
 */
record Shape(int depth, int size) {
  private static final int MAX_DEPTH = 200;
  private static final int MAX_SIZE = 1 << 22;

  static Shape of(Collection<? extends Value> values) {
    int depth = 0;
    long size = values.size();
    for (Value value : values) {
      switch (value) {
        case Items items -> {
          depth = Math.max(depth, items.shape().depth);
          size += items.shape().size;
        }
        case Dict dict -> {
          depth = Math.max(depth, dict.shape().depth);
          size += dict.shape().size;
        }
        default -> {}
      }
    }
    return new Shape(checkDepth(depth + 1), checkSize(size));
  }

  /** How much there is to look at in a value: characters, or values inside. */
  static int size(Value value) {
    return switch (value) {
      case Text(String text, boolean _) -> text.length();
      case Items items -> items.shape().size;
      case Dict dict -> dict.shape().size;
      case Range range -> range.size();
      default -> 1;
    };
  }

  Shape and(Shape other) {
    return new Shape(Math.max(depth, other.depth), checkSize((long) size + other.size));
  }

  static int checkDepth(int depth) {
    if (depth > MAX_DEPTH) {
      throw Failure.limit("lists and dicts are nested more than " + MAX_DEPTH + " deep");
    }
    return depth;
  }

  private static int checkSize(long size) {
    if (size > MAX_SIZE) {
      throw Failure.limit("a list or dict holds more than %,d values".formatted(MAX_SIZE));
    }
    return (int) size;
  }

  /** Refuses text that becomes too long while it is written. */
  static void checkText(int length) {
    if (length > Limits.STANDARD.text()) {
      throw Failure.limit("a text is longer than %,d".formatted(Limits.STANDARD.text()));
    }
  }
}
