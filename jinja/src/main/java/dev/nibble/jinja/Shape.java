package dev.nibble.jinja;

import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Value.Int;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.Range;
import dev.nibble.jinja.Value.Text;
import java.math.BigInteger;
import java.util.Collection;

/**
 * Size and depth of a list or dictionary. Values are bounded when they are made, so that whatever
 * goes through one (comparing, printing) ends soon and never exhausts the stack.
 *
 * @param depth levels of nesting
 * @param size values inside, those that occur several times counted as often
 * @param weight the same with the characters of texts and the words of large numbers
 */
record Shape(int depth, int size, long weight) {
  private static final int MAX_DEPTH = 200;
  private static final int MAX_SIZE = 1 << 22;

  static Shape of(Collection<? extends Value> values) {
    int depth = 0;
    long size = values.size();
    long weight = values.size();
    for (Value value : values) {
      switch (value) {
        case Items items -> {
          depth = Math.max(depth, items.shape().depth);
          size += items.shape().size;
          weight += items.shape().weight;
        }
        case Dict dict -> {
          depth = Math.max(depth, dict.shape().depth);
          size += dict.shape().size;
          weight += dict.shape().weight;
        }
        case Text(String text, boolean _) -> weight += text.length();
        case Int(BigInteger number) -> weight += number.bitLength() / 32;
        default -> {}
      }
    }
    return new Shape(checkDepth(depth + 1), checkSize(size), weight);
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

  /** How much there is to look at in a value and in all texts that it holds. */
  static long weight(Value value) {
    return switch (value) {
      case Items items -> items.shape().weight;
      case Dict dict -> dict.shape().weight;
      case Int(BigInteger number) -> 1 + number.bitLength() / 32;
      default -> size(value);
    };
  }

  Shape and(Shape other) {
    return new Shape(
        Math.max(depth, other.depth), checkSize((long) size + other.size), weight + other.weight);
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
  static void checkText(long length) {
    if (length > Limits.STANDARD.text()) {
      throw Failure.limit("a text is longer than %,d".formatted(Limits.STANDARD.text()));
    }
  }
}
