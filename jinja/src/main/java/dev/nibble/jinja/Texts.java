package dev.nibble.jinja;

import dev.nibble.jinja.Value.Text;
import dev.nibble.jinja.Value.Undefined;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** Helpers for text. */
final class Texts {
  private Texts() {}

  /** The text of a value that must be one. */
  static String plain(Value value, String user) {
    return switch (value) {
      case Text(String text, boolean _) -> text;
      case Undefined u -> throw u.failure();
      default -> throw Failure.type(user + " expects a str, got " + Values.type(value));
    };
  }

  /** A text as it is, anything else as Python prints it. */
  static Text soft(Meter meter, Value value) {
    return value instanceof Text t ? t : new Text(Repr.text(meter, value));
  }

  /** Changes a text and keeps its mark. */
  static Value mapped(Meter meter, Value value, UnaryOperator<String> change) {
    Text text = soft(meter, value);
    meter.each(text.text().length());
    return new Text(change.apply(text.text()), text.html());
  }

  /** One after another; when one is marked as HTML, the others are escaped. */
  static Text concat(Meter meter, List<Text> parts) {
    boolean html = parts.stream().anyMatch(Text::html);
    StringBuilder out = new StringBuilder();
    for (Text part : parts) {
      meter.grow(out.length(), part.text().length());
      out.append(html ? escaped(meter, part).text() : part.text());
    }
    return new Text(out.toString(), html);
  }

  static Text escaped(Meter meter, Value value) {
    Text text = soft(meter, value);
    return text.html() ? text : new Text(escape(meter, text.text()), true);
  }

  static String escape(Meter meter, String text) {
    meter.each(text.length());
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      switch (text.charAt(i)) {
        case '&' -> out.append("&amp;");
        case '<' -> out.append("&lt;");
        case '>' -> out.append("&gt;");
        case '"' -> out.append("&#34;");
        case '\'' -> out.append("&#39;");
        default -> out.append(text.charAt(i));
      }
    }
    return out.toString();
  }

  static String repeat(Meter meter, String text, int times) {
    meter.work((long) text.length() * Math.max(0, times));
    return text.repeat(Math.max(0, times));
  }

  static String replace(Meter meter, String text, String old, String with, int count) {
    meter.work(text.length());
    Search search = Search.forward(meter, old);
    StringBuilder out = new StringBuilder();
    int from = 0;
    for (int done = 0; count < 0 || done < count; done++) {
      int at = old.isEmpty() ? from + (done == 0 ? 0 : step(text, from)) : search.next(text, from);
      if (at < 0 || at > text.length() || (old.isEmpty() && done > 0 && from == text.length())) {
        break;
      }
      meter.step();
      meter.grow(out.length(), (long) at - from + with.length());
      out.append(text, from, at).append(with);
      from = at + old.length();
    }
    return meter.text(out.append(text, from, text.length()).toString());
  }

  private static int step(String text, int at) {
    return at < text.length() ? Character.charCount(text.codePointAt(at)) : 0;
  }

  static List<String> lines(Meter meter, String text, boolean keepEnds) {
    meter.each(text.length());
    List<String> lines = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      if (Characters.endsLine(text.charAt(i))) {
        int end = text.startsWith("\r\n", i) ? i + 2 : i + 1;
        lines.add(text.substring(start, keepEnds ? end : i));
        start = end;
        i = end - 1;
      }
    }
    if (start < text.length()) {
      lines.add(text.substring(start));
    }
    return lines;
  }

  /** Spaces, or {@code fill}, around a text up to {@code width} code points. */
  static String padded(Meter meter, String text, int width, String fill, char side) {
    int space = Math.max(0, width - text.codePointCount(0, text.length()));
    int left =
        switch (side) {
          case '<' -> 0;
          case '>' -> space;
          default -> space / 2 + (space & width & 1); // as str.center
        };
    return repeat(meter, fill, left) + text + repeat(meter, fill, space - left);
  }
}
