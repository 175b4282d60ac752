package dev.nibble.recipes.schema;

import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Node.Scalar;
import dev.nibble.recipes.yaml.Node.Scalar.Kind;
import dev.nibble.recipes.yaml.YamlText;
import java.util.Optional;

/** Key types for numbers within limits. */
public final class Numbers {
  private Numbers() {}

  /** A whole number of at least {@code least}. */
  public static KeyType<Integer> wholeNumber(int least) {
    return new Whole(least);
  }

  /** A whole number of 64 bits. */
  public static KeyType<Long> longNumber() {
    return new LongNumber();
  }

  /** A number above {@code limit}. */
  public static KeyType<Double> above(double limit) {
    return new Decimal(limit, false, Double.POSITIVE_INFINITY);
  }

  /** A number of at least {@code least}. */
  public static KeyType<Double> atLeast(double least) {
    return new Decimal(least, true, Double.POSITIVE_INFINITY);
  }

  /** A number from {@code least} (included) to below {@code below}. */
  public static KeyType<Double> fromToBelow(double least, double below) {
    return new Decimal(least, true, below);
  }

  private static String quotesAdvice(Node node) {
    boolean quotedNumber =
        node instanceof Scalar s
            && s.quoted()
            && (s.unquotedKind() == Kind.NUMBER || s.unquotedKind() == Kind.WHOLE_NUMBER);
    return quotedNumber ? "; remove the quotes" : "";
  }

  private record Whole(int least) implements KeyType<Integer> {
    @Override
    public String describe() {
      return "a whole number of at least " + least;
    }

    @Override
    public Optional<Integer> read(Node node, String path, Problems problems) {
      if (node instanceof Scalar s && s.kind() == Kind.WHOLE_NUMBER) {
        try {
          int value = Integer.parseInt(s.text());
          if (value >= least) {
            return Optional.of(value);
          }
        } catch (NumberFormatException e) {
          return mismatch(node, path, problems, ", which is too large");
        }
      }
      return mismatch(node, path, problems, quotesAdvice(node));
    }

    @Override
    public Object plain(Integer value) {
      return value;
    }
  }

  private record LongNumber() implements KeyType<Long> {
    @Override
    public String describe() {
      return "a whole number";
    }

    @Override
    public Optional<Long> read(Node node, String path, Problems problems) {
      if (node instanceof Scalar s && s.kind() == Kind.WHOLE_NUMBER) {
        try {
          return Optional.of(Long.parseLong(s.text()));
        } catch (NumberFormatException e) {
          return mismatch(node, path, problems, ", which is more than 64 bits hold");
        }
      }
      return mismatch(node, path, problems, quotesAdvice(node));
    }

    @Override
    public Object plain(Long value) {
      return value;
    }
  }

  private record Decimal(double least, boolean inclusive, double below) implements KeyType<Double> {
    @Override
    public String describe() {
      String low = YamlText.inline(least);
      if (below != Double.POSITIVE_INFINITY) {
        return "a number from " + low + " to below " + YamlText.inline(below);
      }
      return "a number " + (inclusive ? "of at least " : "above ") + low;
    }

    @Override
    public Optional<Double> read(Node node, String path, Problems problems) {
      if (node instanceof Scalar s && (s.kind() == Kind.NUMBER || s.kind() == Kind.WHOLE_NUMBER)) {
        double value = Double.parseDouble(s.text());
        boolean high = inclusive ? value >= least : value > least;
        if (high && value < below) {
          return Optional.of(value);
        }
      }
      return mismatch(node, path, problems, quotesAdvice(node));
    }

    @Override
    public Object plain(Double value) {
      return value;
    }
  }
}
