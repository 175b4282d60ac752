package dev.nibble.jinja;

import dev.nibble.jinja.Arguments.Bound;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.Text;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Filters that return text. */
final class TextFilters {
  private static final Pattern WORD =
      Pattern.compile("[-\\s({\\[<]+|[^-\\s({\\[<]+", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern LETTERS = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);

  private TextFilters() {}

  static void addTo(Map<String, Filters.Body> all) {
    for (String name : List.of("upper", "lower", "capitalize")) {
      all.put(
          name,
          (_, v, args) -> {
            args.none(name);
            return Texts.mapped(v, s -> TextMethods.cased(name, s));
          });
    }
    all.put(
        "title",
        (_, v, args) -> {
          args.none("title");
          return Texts.mapped(v, TextFilters::title);
        });
    all.put("trim", (_, v, args) -> trim(v, args.bind("trim", "chars").given(0)));
    all.put("string", (_, v, args) -> unaryText("string", v, args));
    all.put(
        "safe",
        (_, v, args) -> {
          args.none("safe");
          return new Text(Repr.text(v), true);
        });
    for (String name : List.of("e", "escape")) {
      all.put(name, (_, v, args) -> Texts.escaped(unaryText(name, v, args)));
    }
    all.put(
        "forceescape",
        (_, v, args) -> new Text(Texts.escape(unaryText("forceescape", v, args).text()), true));
    all.put("replace", TextFilters::replace);
    all.put("indent", TextFilters::indent);
    all.put("truncate", TextFilters::truncate);
    all.put(
        "center",
        (f, v, args) -> {
          int width = args.bind("center", "width").whole(0, 80);
          return Texts.mapped(v, s -> Texts.padded(f.meter(), s, width, " ", '^'));
        });
    all.put("format", TextFilters::format);
    all.put(
        "wordcount",
        (_, v, args) ->
            Values.of(LETTERS.matcher(unaryText("wordcount", v, args).text()).results().count()));
    all.put("tojson", TextFilters::json);
    all.put("join", TextFilters::join);
  }

  private static Text unaryText(String name, Value value, Arguments args) {
    args.none(name);
    return Texts.soft(value);
  }

  private static Value trim(Value value, Optional<Value> chars) {
    return Texts.mapped(value, s -> TextMethods.stripped("strip", s, chars));
  }

  private static String title(String s) {
    StringBuilder out = new StringBuilder();
    Matcher words = WORD.matcher(s);
    while (words.find()) {
      String word = words.group();
      int first = word.offsetByCodePoints(0, 1);
      out.append(word.substring(0, first).toUpperCase(Locale.ROOT));
      out.append(word.substring(first).toLowerCase(Locale.ROOT));
    }
    return out.toString();
  }

  private static Value replace(Filters f, Value value, Arguments args) {
    Bound b = args.bind("replace", "old", "new", "count");
    int count = b.given(2).map(v -> Subscripts.index(v, "replace")).orElse(-1);
    return new Text(
        Texts.replace(
            f.meter(), Repr.text(value), Repr.text(b.get(0)), Repr.text(b.get(1)), count));
  }

  private static Value indent(Filters f, Value value, Arguments args) {
    Bound b = args.bind("indent", "width", "first", "blank");
    Value width = b.find(0).orElse(Values.of(4));
    String indent =
        width instanceof Text(String text, boolean _)
            ? text
            : Texts.repeat(f.meter(), " ", Subscripts.index(width, "indent"));
    List<String> lines = Texts.lines(Texts.plain(value, "indent") + "\n", false);
    boolean blank = b.flag(2, false);
    StringBuilder out = new StringBuilder(b.flag(1, false) ? indent : "");
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      f.meter().grow(out.length(), (long) line.length() + indent.length());
      if (i > 0) {
        out.append('\n').append(blank || !line.isEmpty() ? indent : "");
      }
      out.append(line);
    }
    return new Text(out.toString());
  }

  private static Value truncate(Filters f, Value value, Arguments args) {
    Bound b = args.bind("truncate", "length", "killwords", "end", "leeway");
    String s = Texts.plain(value, "truncate");
    int length = b.whole(0, 255);
    String end = b.text(2, "...");
    int size = s.codePointCount(0, s.length());
    int keep = length - end.codePointCount(0, end.length());
    if (keep < 0 || length < 0) {
      throw Failure.value("truncate: the length is less than that of the ending");
    }
    if (size <= length + b.given(3).map(v -> Subscripts.index(v, "truncate")).orElse(5)) {
      return value;
    }
    String cut = s.substring(0, s.offsetByCodePoints(0, keep));
    int space = cut.lastIndexOf(' ');
    String kept = b.flag(1, false) || space < 0 ? cut : cut.substring(0, space);
    return new Text(f.meter().text(kept + end));
  }

  private static Value format(Filters f, Value value, Arguments args) {
    if (!args.positional().isEmpty() && !args.keywords().isEmpty()) {
      throw Failure.value("can't handle positional and keyword arguments at the same time");
    }
    Value argument =
        args.keywords().isEmpty()
            ? Items.of(Items.Type.TUPLE, args.positional())
            : Values.of(args.keywords());
    return Printf.format(f.meter(), Texts.soft(value), argument);
  }

  private static Value json(Filters f, Value value, Arguments args) {
    Bound b = args.bind("tojson", "ensure_ascii", "indent", "separators", "sort_keys");
    Optional<String> indent =
        b.given(1)
            .map(v ->
                v instanceof Text(String text, boolean _)
                    ? text
                    : Texts.repeat(f.meter(), " ", Subscripts.index(v, "tojson")));
    String item = indent.isPresent() ? "," : ", ";
    String key = ": ";
    Optional<Value> separators = b.given(2);
    if (separators.isPresent()) {
      List<Value> two = Values.iterate(separators.get());
      if (two.size() != 2) {
        throw Failure.value("tojson: separators are a pair, of items and of keys");
      }
      item = Texts.plain(two.getFirst(), "tojson");
      key = Texts.plain(two.getLast(), "tojson");
    }
    Json json = new Json(b.flag(0, false), indent, item, key, b.flag(3, false), f.operators());
    return new Text(f.meter().text(json.write(value)));
  }

  private static Value join(Filters f, Value value, Arguments args) {
    Bound b = args.bind("join", "d", "attribute");
    Optional<AttributePath> path = b.given(1).map(v -> AttributePath.of(v, f.subscripts()));
    String separator = b.find(0).map(Repr::text).orElse("");
    StringBuilder out = new StringBuilder();
    boolean first = true;
    for (Value item : Values.iterate(value)) {
      Value part = path.isPresent() ? path.get().get(item) : item;
      String text = Repr.text(part);
      f.meter().grow(out.length(), (long) separator.length() + text.length());
      out.append(first ? "" : separator).append(text);
      first = false;
    }
    return new Text(out.toString());
  }
}
