package dev.nibble.jinja;

import dev.nibble.jinja.Arguments.Bound;
import dev.nibble.jinja.Value.Function;
import dev.nibble.jinja.Value.Items;
import dev.nibble.jinja.Value.Text;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;

/** The methods of str. */
final class TextMethods {
  private static final Set<String> UNSUPPORTED =
      Set.of(
          "encode",
          "expandtabs",
          "format_map",
          "isascii",
          "isidentifier",
          "isnumeric",
          "isprintable",
          "istitle",
          "maketrans",
          "translate");

  /** Characters that are few enough to look for one after another. */
  private static final int FEW = 16;

  private final Meter meter;

  TextMethods(Meter meter) {
    this.meter = meter;
  }

  Optional<Value> find(Text text, String name) {
    if (UNSUPPORTED.contains(name)) {
      throw Methods.unsupported("str", name);
    }
    Optional<Function.Body> body = body(text.text(), name);
    if (body.isPresent() && text.html()) {
      throw Failure.unsupported(
          "the method '" + name + "' is not supported on text marked with safe or escape");
    }
    return body.map(b -> Function.of(name, b));
  }

  private Optional<Function.Body> body(String s, String name) {
    Function.Body body =
        switch (name) {
          case "upper", "lower", "casefold", "title", "capitalize", "swapcase" ->
              args -> {
                args.none(name);
                meter.each(s.length());
                return text(cased(name, s));
              };
          case "isalpha", "isdigit", "isdecimal", "isalnum", "isspace" ->
              args -> {
                args.none(name);
                meter.each(s.length());
                return Values.of(!s.isEmpty() && s.codePoints().allMatch(characters(name)));
              };
          case "islower", "isupper" ->
              args -> {
                args.none(name);
                meter.each(s.length());
                return Values.of(isCased(s, name.equals("isupper")));
              };
          case "strip", "lstrip", "rstrip" ->
              args -> text(stripped(meter, name, s, args.bindUnnamed(name, "chars").given(0)));
          case "startswith", "endswith" -> args -> affix(name, s, args);
          case "removeprefix" ->
              args -> {
                String prefix = args.bindUnnamed(name, "prefix").text(0);
                return text(s.startsWith(prefix) ? s.substring(prefix.length()) : s);
              };
          case "removesuffix" ->
              args -> {
                String suffix = args.bindUnnamed(name, "suffix").text(0);
                return text(s.endsWith(suffix) ? s.substring(0, s.length() - suffix.length()) : s);
              };
          case "split", "rsplit" -> args -> split(name, s, args.bind(name, "sep", "maxsplit"));
          case "splitlines" ->
              args -> list(Texts.lines(meter, s, args.bind(name, "keepends").flag(0, false)));
          case "partition", "rpartition" ->
              args ->
                  partition(s, args.bindUnnamed(name, "sep").text(0), name.equals("rpartition"));
          case "replace" ->
              args -> {
                Bound b = args.bindUnnamed(name, "old", "new", "count");
                return text(Texts.replace(meter, s, b.text(0), b.text(1), b.whole(2, -1)));
              };
          case "join" -> args -> join(s, args.bindUnnamed(name, "iterable").get(0));
          case "find", "rfind", "index", "rindex" -> args -> place(name, s, args);
          case "count" -> args -> count(s, args.bindUnnamed(name, "sub", "start", "end"));
          case "ljust", "rjust", "center" ->
              args -> {
                Bound b = args.bindUnnamed(name, "width", "fillchar");
                char side = name.equals("ljust") ? '<' : name.equals("rjust") ? '>' : '^';
                return text(
                    Texts.padded(meter, s, Subscripts.index(b.get(0), name), b.text(1, " "), side));
              };
          case "zfill" ->
              args -> {
                int width = Subscripts.index(args.bindUnnamed(name, "width").get(0), name);
                String sign = s.startsWith("-") || s.startsWith("+") ? s.substring(0, 1) : "";
                String digits = s.substring(sign.length());
                return text(sign + Texts.padded(meter, digits, width - sign.length(), "0", '>'));
              };
          case "format" -> args -> text(new BraceFormat(meter).format(s, args));
          default -> null;
        };
    return Optional.ofNullable(body);
  }

  private Value text(String text) {
    return new Text(meter.text(text));
  }

  private static Value list(List<String> texts) {
    return Items.list(texts.stream().<Value>map(Text::new).toList());
  }

  static String cased(String name, String s) {
    return switch (name) {
      case "upper" -> CaseMapping.upper(s);
      case "lower" -> CaseMapping.lower(s);
      case "casefold" -> CaseMapping.lower(CaseMapping.upper(s));
      case "title" -> titled(s, c -> true);
      case "capitalize" -> titled(s, c -> false);
      default -> swapped(s);
    };
  }

  private static String swapped(String s) {
    StringBuilder out = new StringBuilder();
    s.codePoints()
        .forEach(c -> {
          if (Character.isUpperCase(c)) {
            CaseMapping.addLower(c, out);
          } else {
            CaseMapping.addUpper(c, out);
          }
        });
    return out.toString();
  }

  /** Upper case at the start, and after each character without case where {@code again} says so. */
  private static String titled(String s, IntPredicate again) {
    String lower = CaseMapping.lower(s);
    StringBuilder out = new StringBuilder();
    boolean start = true;
    for (int i = 0; i < lower.length(); ) {
      int c = lower.codePointAt(i);
      String letter = Character.toString(c);
      int title = Character.toTitleCase(c);
      out.append(!start ? letter : title != c ? Character.toString(title) : titleOf(letter));
      start = again.test(c) && !CaseMapping.isCased(c);
      i += Character.charCount(c);
    }
    return out.toString();
  }

  /** Letters such as ß, whose upper case is two letters: only the first stays upper. */
  private static String titleOf(String letter) {
    String upper = letter.toUpperCase(Locale.ROOT);
    return upper.length() > letter.length()
        ? upper.charAt(0) + upper.substring(1).toLowerCase(Locale.ROOT)
        : upper;
  }

  private static IntPredicate characters(String test) {
    return switch (test) {
      case "isalpha" -> Character::isLetter;
      case "isdecimal" -> Character::isDigit;
      case "isdigit" -> c -> Character.isDigit(c) || isRaisedDigit(c);
      case "isspace" -> Characters::isSpace;
      default ->
          c -> {
            int type = Character.getType(c);
            return Character.isLetterOrDigit(c)
                || type == Character.LETTER_NUMBER
                || type == Character.OTHER_NUMBER;
          };
    };
  }

  private static boolean isRaisedDigit(int c) {
    return c == 0xb2
        || c == 0xb3
        || c == 0xb9
        || c == 0x2070
        || (c >= 0x2074 && c <= 0x2079)
        || (c >= 0x2080 && c <= 0x2089);
  }

  static boolean isCased(String s, boolean upper) {
    boolean wanted =
        s.codePoints().anyMatch(upper ? Character::isUpperCase : Character::isLowerCase);
    IntPredicate other = upper ? Character::isLowerCase : Character::isUpperCase;
    return wanted && s.codePoints().noneMatch(c -> other.test(c) || Character.isTitleCase(c));
  }

  static String stripped(Meter meter, String name, String s, Optional<Value> chars) {
    meter.each(s.length());
    IntPredicate stripped =
        chars
            .<IntPredicate>map(c -> among(meter, Texts.plain(c, name)))
            .orElse(Characters::isSpace);
    String start = name.equals("rstrip") ? s : Characters.stripStart(s, stripped);
    return name.equals("lstrip") ? start : Characters.stripEnd(start, stripped);
  }

  private static IntPredicate among(Meter meter, String set) {
    if (set.length() <= FEW) {
      return c -> set.indexOf(c) >= 0;
    }
    meter.steps(set.length());
    BitSet all = new BitSet();
    set.codePoints().forEach(all::set);
    return all::get;
  }

  private Value affix(String name, String s, Arguments args) {
    Bound b = args.bindUnnamed(name, "prefix", "start", "end");
    Window window = Window.of(s, b);
    Value wanted = b.get(0);
    List<Value> candidates =
        wanted instanceof Items t && t.type() == Items.Type.TUPLE ? t.values() : List.of(wanted);
    boolean found = false;
    for (Value candidate : candidates) {
      if (!(candidate instanceof Text(String affix, boolean _))) {
        throw Failure.type(
            name + " first arg must be str or a tuple of str, not " + Values.type(candidate));
      }
      meter.step();
      meter.work(Math.min(affix.length(), window.text().length()));
      found |=
          window.valid()
              && (name.equals("startswith")
                  ? window.text().startsWith(affix)
                  : window.text().endsWith(affix));
    }
    return Values.of(found);
  }

  /** The part of a text between optional start and end arguments (places 1 and 2). */
  private record Window(String text, int start, boolean valid) {
    static Window of(String s, Bound b) {
      int size = s.codePointCount(0, s.length());
      int start = bound(b.given(1), 0, size);
      int end = Math.min(size, bound(b.given(2), size, size));
      if (start > end) {
        return new Window("", start, false);
      }
      int from = s.offsetByCodePoints(0, start);
      return new Window(s.substring(from, s.offsetByCodePoints(from, end - start)), start, true);
    }

    private static int bound(Optional<Value> given, int otherwise, int size) {
      int at = given.map(v -> Subscripts.index(v, "a text's place")).orElse(otherwise);
      return at < 0 ? Math.max(0, at + size) : at;
    }
  }

  private Value place(String name, String s, Arguments args) {
    Bound b = args.bindUnnamed(name, "sub", "start", "end");
    Window window = Window.of(s, b);
    int at = window.valid() ? found(window.text(), b.text(0), name.startsWith("r")) : -1;
    if (at < 0 && name.endsWith("index")) {
      throw Failure.value("substring not found");
    }
    return Values.of(at < 0 ? -1 : window.start() + window.text().codePointCount(0, at));
  }

  /** Place of the first or last occurrence; -1 for none. */
  private int found(String text, String part, boolean last) {
    meter.work(text.length());
    if (part.length() > text.length()) {
      return -1;
    }
    return last
        ? Search.backward(meter, part).last(text, text.length())
        : Search.forward(meter, part).next(text, 0);
  }

  private Value count(String s, Bound b) {
    Window window = Window.of(s, b);
    String part = b.text(0);
    String text = window.text();
    if (part.isEmpty()) {
      return Values.of(window.valid() ? text.codePointCount(0, text.length()) + 1 : 0);
    }
    meter.work(text.length());
    Search search = Search.forward(meter, part);
    int count = 0;
    for (int at = search.next(text, 0); at >= 0; at = search.next(text, at + part.length())) {
      meter.step();
      count++;
    }
    return Values.of(count);
  }

  private Value split(String name, String s, Bound b) {
    int most = b.whole(1, -1);
    meter.work(s.length());
    Optional<Value> given = b.given(0);
    if (given.isEmpty()) {
      meter.steps(s.length() / 2);
      return list(name.equals("rsplit") ? lastWords(s, most) : words(s, most));
    }
    String separator = Texts.plain(given.get(), name);
    if (separator.isEmpty()) {
      throw Failure.value("empty separator");
    }
    List<String> parts = new ArrayList<>();
    if (name.equals("rsplit")) {
      Search search = Search.backward(meter, separator);
      int end = s.length();
      for (int at; (most < 0 || parts.size() < most) && (at = search.last(s, end)) >= 0; end = at) {
        meter.step();
        parts.add(s.substring(at + separator.length(), end));
      }
      parts.add(s.substring(0, end));
      Collections.reverse(parts);
    } else {
      Search search = Search.forward(meter, separator);
      int start = 0;
      for (int at; (most < 0 || parts.size() < most) && (at = search.next(s, start)) >= 0; ) {
        meter.step();
        parts.add(s.substring(start, at));
        start = at + separator.length();
      }
      parts.add(s.substring(start));
    }
    return list(parts);
  }

  private static List<String> words(String s, int most) {
    List<String> words = new ArrayList<>();
    int start = over(s, 0, true);
    while (start < s.length() && words.size() != most) {
      int end = over(s, start, false);
      words.add(s.substring(start, end));
      start = over(s, end, true);
    }
    if (start < s.length()) {
      words.add(s.substring(start));
    }
    return words;
  }

  /** The end of the white space, or of the word, that begins at a place. */
  private static int over(String s, int from, boolean space) {
    int at = from;
    while (at < s.length() && Characters.isSpace(s.codePointAt(at)) == space) {
      at += Character.charCount(s.codePointAt(at));
    }
    return at;
  }

  private static List<String> lastWords(String s, int most) {
    List<String> words = new ArrayList<>();
    int end = back(s, s.length(), true);
    while (end > 0 && words.size() != most) {
      int start = back(s, end, false);
      words.add(s.substring(start, end));
      end = back(s, start, true);
    }
    if (end > 0) {
      words.add(s.substring(0, end));
    }
    Collections.reverse(words);
    return words;
  }

  /** The start of the white space, or of the word, that ends at a place. */
  private static int back(String s, int from, boolean space) {
    int at = from;
    while (at > 0 && Characters.isSpace(s.codePointBefore(at)) == space) {
      at -= Character.charCount(s.codePointBefore(at));
    }
    return at;
  }

  private Value partition(String s, String separator, boolean last) {
    if (separator.isEmpty()) {
      throw Failure.value("empty separator");
    }
    int at = found(s, separator, last);
    Text all = new Text(s);
    Text nothing = new Text("");
    if (at < 0) {
      return last ? Items.tuple(nothing, nothing, all) : Items.tuple(all, nothing, nothing);
    }
    return Items.tuple(
        new Text(s.substring(0, at)),
        new Text(separator),
        new Text(s.substring(at + separator.length())));
  }

  private Value join(String separator, Value iterable) {
    StringBuilder out = new StringBuilder();
    int number = 0;
    for (Value item : Values.iterate(meter, iterable)) {
      meter.step();
      if (!(item instanceof Text(String part, boolean _))) {
        throw Failure.type(
            "sequence item %d: expected str instance, %s found"
                .formatted(number, Values.type(item)));
      }
      meter.grow(out.length(), (long) separator.length() + part.length());
      out.append(number++ == 0 ? "" : separator).append(part);
    }
    return text(out.toString());
  }
}
