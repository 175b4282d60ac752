package dev.nibble.recipes.yaml;

import java.util.List;
import java.util.Optional;

/**
 * What is wrong with a text that is not YAML, in our words. The parser's own name its tokens.
 *
 * @param words of the parser, in part
 * @param ours what they mean to who wrote the text
 */
record YamlProblem(String words, String ours) {
  private static final List<YamlProblem> ALL =
      List.of(
          new YamlProblem(
              "mapping values are not allowed",
              "a key with a value cannot begin here; a text with ': ' in it needs quotes"),
          new YamlProblem(
              "sequence entries are not allowed",
              "an item with '- ' cannot begin here; items of a list begin on lines of their own"),
          new YamlProblem(
              "expected <block end>", "the line is not indented as the ones before it ask for"),
          new YamlProblem("expected ',' or ']'", "a list lacks its ',' or ']'"),
          new YamlProblem("expected ',' or '}'", "a mapping lacks its ',' or '}'"),
          new YamlProblem(
              "could not find expected ':'", "expected ':' and a value after the key before this"),
          new YamlProblem("unexpected end of stream", "a text in quotes has no end"),
          new YamlProblem(
              "unknown escape character", "a text in double quotes has a '\\' that means nothing"),
          new YamlProblem(
              "expected escape sequence", "a text in double quotes has a '\\' that means nothing"),
          new YamlProblem(
              "cannot start any token",
              "this character cannot begin a value; a text with it needs quotes"),
          new YamlProblem("special characters are not allowed", "a control character stands here"));

  /** The description of what the parser found. */
  static String of(Optional<String> parser) {
    return ALL.stream()
        .filter(known -> parser.filter(said -> said.contains(known.words)).isPresent())
        .map(YamlProblem::ours)
        .findFirst()
        .orElse("the text cannot be read from here on");
  }
}
