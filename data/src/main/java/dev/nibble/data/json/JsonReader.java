package dev.nibble.data.json;

import java.io.FilterReader;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonReadFeature;

/**
 * Reader of JSON values, one token or one value at a time. {@code NaN} and {@code Infinity} are
 * numbers, as in Python. A name that occurs twice in an object is an error: one of its values would
 * be lost.
 *
 * <p>The parser's own words are not for users. Before each token this class notes what may come
 * there, and an error says that, and what came instead.
 */
public final class JsonReader implements AutoCloseable {
  /** Deeper nesting is refused: reading it takes as many calls within each other. */
  private static final int MOST_LEVELS = 500;

  private static final String TEXT =
      "text up to a double quote, with line breaks as \\n and quotes as \\\"";

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(Integer.MAX_VALUE)
                  .maxStringLength(Integer.MAX_VALUE)
                  .maxNameLength(Integer.MAX_VALUE)
                  .build())
          .build();

  private final LatestText text;
  private final JsonParser parser;
  private String expected = "a value";
  private int depth;

  /** A reader of a text that stays open when this is closed. */
  public JsonReader(Reader in) {
    this.text = new LatestText(in);
    this.parser = JSON.createParser(ObjectReadContext.empty(), text);
  }

  /**
   * The value that a text consists of: a text, a number, a boolean, a list, a map, or null.
   *
   * @throws InvalidJson when it is not one JSON value
   */
  public static @Nullable Object parse(String json) {
    try (JsonReader reader = new JsonReader(new StringReader(json))) {
      reader.required("a value");
      Object value = reader.value();
      if (reader.next("the end of the text") != null) {
        throw reader.unexpected();
      }
      return value;
    }
  }

  /**
   * Goes to the next token.
   *
   * @param what may come here, for the error where something else does
   * @return null at the end
   */
  public @Nullable JsonToken next(String what) {
    return guarded(what, parser::nextToken);
  }

  /** Calls the parser, whose errors become ours. */
  private <T extends @Nullable Object> T guarded(String what, Supplier<T> call) {
    expected = what;
    try {
      return call.get();
    } catch (StreamConstraintsException e) {
      throw invalid("a number or a name is too long", e.getLocation());
    } catch (JacksonException e) {
      TokenStreamLocation at = e.getLocation();
      throw invalid("expected %s, got %s".formatted(expected, text.from(at.getCharOffset())), at);
    }
  }

  private JsonToken required(String what) {
    JsonToken token = next(what);
    if (token == null) {
      throw invalid(
          "expected %s, got the end of the text".formatted(what), parser.currentLocation());
    }
    return token;
  }

  /** An error about the current token, which is JSON but not what was expected. */
  public InvalidJson unexpected() {
    return invalid("expected %s, got %s".formatted(expected, described(parser.currentToken())));
  }

  private static String described(@Nullable JsonToken token) {
    return switch (token) {
      case null -> "the end of the text";
      case START_OBJECT -> "an object";
      case START_ARRAY -> "a list";
      case END_OBJECT -> "'}'";
      case END_ARRAY -> "']'";
      case VALUE_STRING, PROPERTY_NAME -> "a text";
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
      case VALUE_TRUE, VALUE_FALSE -> "true or false";
      default -> "null";
    };
  }

  /** The name of the field whose token is current. */
  public String name() {
    return parser.currentName();
  }

  /** Goes to the end of the list whose item or end is current. */
  public void skipRestOfList() {
    while (parser.currentToken() != JsonToken.END_ARRAY) {
      skip();
      required("',' or ']'");
    }
  }

  /** Goes to the end of the current value without keeping anything of it. */
  public void skip() {
    int open = 0;
    while (true) {
      JsonToken token = parser.currentToken();
      if (token != null && token.isStructStart()) {
        open++;
      } else if (token != null && token.isStructEnd()) {
        open--;
      }
      if (open == 0) {
        return;
      }
      required("the rest of the value");
    }
  }

  /** The current value, whose first token is current; its last one is afterwards. */
  public @Nullable Object value() {
    return switch (parser.currentToken()) {
      case START_OBJECT -> {
        enter();
        Map<String, @Nullable Object> values = new LinkedHashMap<>();
        while (nextField(values.isEmpty())) {
          String name = name();
          if (values.containsKey(name)) {
            throw twice(name);
          }
          values.put(name, fieldValue());
        }
        depth--;
        yield values;
      }
      case START_ARRAY -> {
        enter();
        List<@Nullable Object> list = new ArrayList<>();
        while (required(list.isEmpty() ? "a value or ']'" : "',' or ']'") != JsonToken.END_ARRAY) {
          list.add(value());
        }
        depth--;
        yield list;
      }
      case VALUE_STRING -> guarded(TEXT, parser::getString);
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> guarded("a number", parser::getNumberValue);
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      default -> null;
    };
  }

  private void enter() {
    if (++depth > MOST_LEVELS) {
      throw invalid("values are nested more than %d deep".formatted(MOST_LEVELS));
    }
  }

  /** Goes to the name of the next field of an object; false at the object's end. */
  public boolean nextField(boolean first) {
    return required(
            first
                ? "a name in double quotes, ':' and a value, or '}'"
                : "',' and a name with a value, or '}'")
        != JsonToken.END_OBJECT;
  }

  /** Goes to the value of the field whose name is current. */
  public JsonToken nextValue() {
    return required("':' and a value");
  }

  private @Nullable Object fieldValue() {
    nextValue();
    return value();
  }

  /** An error about a name that an object has twice. */
  public InvalidJson twice(String name) {
    return invalid("the name '" + name + "' occurs twice in one object");
  }

  private InvalidJson invalid(String problem) {
    return invalid(problem, parser.currentTokenLocation());
  }

  private static InvalidJson invalid(String problem, TokenStreamLocation at) {
    return new InvalidJson(problem, Math.max(1, at.getLineNr()), Math.max(1, at.getColumnNr()));
  }

  @Override
  public void close() {
    parser.close();
  }

  /** A reader that remembers what it gave last, for messages. */
  private static final class LatestText extends FilterReader {
    private static final int MOST_SHOWN = 24;

    private String latest = "";
    private long start;

    LatestText(Reader in) {
      super(in);
    }

    @Override
    public int read(char[] buffer, int offset, int length) throws IOException {
      int n = in.read(buffer, offset, length);
      if (n > 0) {
        start += latest.length();
        latest = new String(buffer, offset, n);
      }
      return n;
    }

    /** The source is its owner's to close. */
    @Override
    public void close() {}

    /** What stands at a place of the whole text. */
    String from(long place) {
      int at = (int) Math.max(0, place - start);
      if (at >= latest.length()) {
        return "the end of the text";
      }
      int c = latest.codePointAt(at);
      if (c == '\n' || c == '\r') {
        return "the end of the line";
      }
      if (Character.isISOControl(c)) {
        return "the control character U+%04X".formatted(c);
      }
      int end = at;
      while (end < latest.length()
          && end - at < MOST_SHOWN
          && !Character.isISOControl(latest.charAt(end))) {
        end++;
      }
      return latest.substring(at, end);
    }
  }
}
