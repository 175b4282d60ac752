package dev.nibble.jinja;

import dev.nibble.jinja.Arguments.Bound;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.Text;
import java.util.List;
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
          (f, v, args) -> {
            args.none(name);
            return Texts.mapped(f.meter(), v, s -> TextMethods.cased(name, s));
          });
    }
    all.put(
        "title",
        (f, v, args) -> {
          args.none("title");
          return Texts.mapped(f.meter(), v, s -> title(f.meter(), s));
        });
    all.put("trim", (f, v, args) -> trim(f.meter(), v, args.bind("trim", "chars").given(0)));
    all.put("string", (f, v, args) -> unaryText("string", f, v, args));
    all.put(
        "safe",
        (f, v, args) -> {
          args.none("safe");
          return new Text(Repr.text(f.meter(), v), true);
        });
    for (String name : List.of("e", "escape")) {
      all.put(name, (f, v, args) -> Texts.escaped(f.meter(), unaryText(name, f, v, args)));
    }
    all.put(
        "forceescape",
        (f, v, args) ->
            new Text(Texts.escape(f.meter(), unaryText("forceescape", f, v, args).text()), true));
    all.put("replace", TextFilters::replace);
    all.put("indent", TextFilters::indent);
    all.put("truncate", TextFilters::truncate);
    all.put(
        "center",
        (f, v, args) -> {
          int width = args.bind("center", "width").whole(0, 80);
          return Texts.mapped(f.meter(), v, s -> Texts.padded(f.meter(), s, width, " ", '^'));
        });
    all.put("format", TextFilters::format);
    all.put(
        "wordcount",
        (f, v, args) -> {
          String text = unaryText("wordcount", f, v, args).text();
          f.meter().steps(text.length());
          return Values.of(LETTERS.matcher(text).results().count());
        });
    all.put("tojson", TextFilters::json);
    all.put("join", TextFilters::join);
  }

  private static Text unaryText(String name, Filters f, Value value, Arguments args) {
    args.none(name);
    return Texts.soft(f.meter(), value);
  }

  private static Value trim(Meter meter, Value value, Optional<Value> chars) {
    Text text = Texts.soft(meter, value);
    return new Text(TextMethods.stripped(meter, "strip", text.text(), chars), text.html());
  }

  private static String title(Meter meter, String s) {
    meter.steps(s.length());
    StringBuilder out = new StringBuilder();
    Matcher words = WORD.matcher(s);
    while (words.find()) {
      String word = words.group();
      int first = word.offsetByCodePoints(0, 1);
      CaseMapping.addUpper(word.codePointAt(0), out);
      out.append(CaseMapping.lower(word.substring(first)));
    }
    return out.toString();
  }

  private static Value replace(Filters f, Value value, Arguments args) {
    Bound b = args.bind("replace", "old", "new", "count");
    int count = b.given(2).map(v -> Subscripts.index(v, "replace")).orElse(-1);
    return new Text(
        Texts.replace(
            f.meter(),
            Repr.text(f.meter(), value),
            Repr.text(f.meter(), b.get(0)),
            Repr.text(f.meter(), b.get(1)),
            count));
  }

  private static Value indent(Filters f, Value value, Arguments args) {
    Bound b = args.bind("indent", "width", "first", "blank");
    Value width = b.find(0).orElse(Values.of(4));
    String indent =
        width instanceof Text(String text, boolean _)
            ? text
            : Texts.repeat(f.meter(), " ", Subscripts.index(width, "indent"));
    List<String> lines = Texts.lines(f.meter(), Texts.plain(value, "indent") + "\n", false);
    boolean blank = b.flag(2, false);
    StringBuilder out = new StringBuilder(b.flag(1, false) ? indent : "");
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      f.meter().step();
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
    return Printf.format(f.meter(), Texts.soft(f.meter(), value), argument);
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
      List<Value> two = Values.iterate(f.meter(), separators.get());
      if (two.size() != 2) {
        throw Failure.value("tojson: separators are a pair, of items and of keys");
      }
      item = Texts.plain(two.getFirst(), "tojson");
      key = Texts.plain(two.getLast(), "tojson");
    }
    Json json = new Json(b.flag(0, false), indent, item, key, b.flag(3, false), f.operators());
    return new Text(json.write(value));
  }

  private static Value join(Filters f, Value value, Arguments args) {
    Bound b = args.bind("join", "d", "attribute");
    Optional<AttributePath> path = b.given(1).map(v -> AttributePath.of(v, f.subscripts()));
    String separator = b.find(0).map(v -> Repr.text(f.meter(), v)).orElse("");
    StringBuilder out = new StringBuilder();
    boolean first = true;
    for (Value item : Values.iterate(f.meter(), value)) {
      Value part = path.isPresent() ? path.get().get(item) : item;
      String text = Repr.text(f.meter(), part);
      f.meter().step();
      f.meter().grow(out.length(), (long) separator.length() + text.length());
      out.append(first ? "" : separator).append(text);
      first = false;
    }
    return new Text(out.toString());
  }
}
