package dev.nibble.recipes.yaml;

import java.util.List;

/** A value in a YAML text. */
public sealed interface Node {

  /** Place of its start. */
  Place place();

  /** Its kind and value, for "expected …, got …". */
  String describe();

  /**
   * A single value.
   *
   * @param text its text, without quotes
   * @param quoted whether it was quoted (or a block), which makes it text whatever it looks like
   */
  record Scalar(Place place, String text, boolean quoted) implements Node {

    /** Kinds of scalars in the core schema of YAML 1.2. */
    public enum Kind {
      /** Nothing: empty, {@code null} or {@code ~}. */
      NOTHING,
      /** {@code true} or {@code false}. */
      BOOLEAN,
      /** Digits. */
      WHOLE_NUMBER,
      /** A number with a point or an exponent; {@code 1e-4} is one. */
      NUMBER,
      /** Everything else, and whatever is quoted. */
      TEXT
    }

    /** Its kind; text when it is quoted. */
    public Kind kind() {
      return quoted ? Kind.TEXT : plainKind(text);
    }

    /** The kind that it would have without quotes. */
    public Kind unquotedKind() {
      return plainKind(text);
    }

    private static Kind plainKind(String text) {
      if (text.isEmpty() || text.matches("~|null|Null|NULL")) {
        return Kind.NOTHING;
      }
      if (text.matches("true|True|TRUE|false|False|FALSE")) {
        return Kind.BOOLEAN;
      }
      if (text.matches("[-+]?[0-9]+")) {
        return Kind.WHOLE_NUMBER;
      }
      return text.matches("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?")
          ? Kind.NUMBER
          : Kind.TEXT;
    }

    @Override
    public String describe() {
      return switch (kind()) {
        case NOTHING -> "nothing";
        case BOOLEAN, WHOLE_NUMBER, NUMBER -> text;
        case TEXT -> "text \"" + text.replace("\n", "\\n") + "\"";
      };
    }
  }

  /** A list. */
  record Sequence(Place place, List<Node> items) implements Node {
    @Override
    public String describe() {
      return "a list";
    }
  }

  /** Keys and values, in order; the same key may come twice, which the schema refuses. */
  record Mapping(Place place, List<Entry> entries) implements Node {
    @Override
    public String describe() {
      return "a group of keys";
    }
  }

  /**
   * One key with its value.
   *
   * @param place of the key
   */
  record Entry(String key, Place place, Node value) {}
}
