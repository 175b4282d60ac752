package dev.nibble.data.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * Parts of a tokenizer.json on which the native library may panic, take forever or ask for much
 * memory, depending on the text. A panic inside it ends the JVM, so a tokenizer with such a part
 * runs in a process of its own ({@link IsolatedTokenizer}).
 *
 * <p>The check names what is safe. All else counts as a hazard, so that a part or a field that is
 * new to it is too.
 */
final class Hazards {
  private static final Set<String> SAFE =
      Set.of(
          "BertNormalizer",
          "BertPreTokenizer",
          "ByteFallback",
          "ByteLevel",
          "Digits",
          "Fuse",
          "Lowercase",
          "Metaspace",
          "NFC",
          "NFD",
          "NFKC",
          "NFKD",
          "Punctuation",
          "StripAccents",
          "Whitespace",
          "WhitespaceSplit",
          "WordPiece");
  private static final int MOST_PARTS = 32;
  private static final int LONGEST_WORD = 1000;

  /** By how much one part, and all parts of a section, may lengthen a text. */
  private static final int GROWTH = 8;

  private static final double TOTAL_GROWTH = 64;

  private int parts;
  private int framing;
  private double growth = 1;
  private final String section;

  private Hazards(String section) {
    this.section = section;
  }

  /**
   * The first hazard of a section other than the model.
   *
   * @param section such as {@code normalizer}
   * @param part its value
   */
  static Optional<String> of(String section, JsonNode part) {
    return part.isNull() ? Optional.empty() : new Hazards(section).first(part);
  }

  private Optional<String> first(JsonNode part) {
    String type = part.path("type").asString("");
    if (++parts > MOST_PARTS) {
      return hazard("has more than " + MOST_PARTS + " parts");
    }
    if (SAFE.contains(type)) {
      return Optional.empty();
    }
    return switch (type) {
      case "Sequence" -> inSequence(part);
      case "Split" -> pattern(type, part.path("pattern"));
      case "Replace" -> pattern(type, part.path("pattern")).or(() -> longer(part));
      case "Prepend" ->
          part.path("prepend").asString("").length() <= GROWTH
              ? Optional.empty()
              : hazard("prepends a long text");
      case "Strip" ->
          section.equals("decoder") && part.path("stop").asInt(-1) != 0
              ? hazard("strips ends of tokens, which may be empty")
              : Optional.empty();
      case "TemplateProcessing" -> template(part);
      case "BertProcessing", "RobertaProcessing" -> framed();
      default -> hazard("has a part of type '" + type + "'");
    };
  }

  private Optional<String> inSequence(JsonNode sequence) {
    for (Map.Entry<String, JsonNode> field : sequence.properties()) {
      for (JsonNode part : field.getValue()) {
        Optional<String> hazard = first(part);
        if (hazard.isPresent()) {
          return hazard;
        }
      }
    }
    return Optional.empty();
  }

  private Optional<String> pattern(String type, JsonNode pattern) {
    JsonNode text = pattern.path("String");
    if (text.isString() && pattern.size() == 1) {
      return text.asString().isEmpty() ? hazard("has an empty pattern") : Optional.empty();
    }
    String expression = pattern.path("Regex").asString("");
    return LinearPattern.is(expression)
        ? Optional.empty()
        : hazard(
            "has a %s by the regular expression '%s', whose work nothing bounds"
                .formatted(type, expression));
  }

  private Optional<String> longer(JsonNode replace) {
    int before = Math.max(1, replace.path("pattern").path("String").asString("").length());
    int after = replace.path("content").asString("").length();
    growth *= Math.max(1, (double) after / before);
    return after <= GROWTH * before && growth <= TOTAL_GROWTH
        ? Optional.empty()
        : hazard("makes texts much longer");
  }

  /** Tokens are put around a text once; the library knows no frame within a frame. */
  private Optional<String> framed() {
    return ++framing > 1 ? hazard("puts tokens around a text twice") : Optional.empty();
  }

  private Optional<String> template(JsonNode part) {
    JsonNode known = part.path("special_tokens");
    for (JsonNode token : known) {
      if (token.path("ids").isEmpty()
          || token.path("ids").size() != token.path("tokens").size()
          || !known.path(token.path("id").asString("")).equals(token)) {
        return hazard(
            "describes special token '%s' incompletely".formatted(token.path("id").asString("")));
      }
    }
    List<String> sequences = new ArrayList<>();
    for (JsonNode piece : part.path("single")) {
      String special = piece.path("SpecialToken").path("id").asString("");
      if (piece.has("Sequence")) {
        sequences.add(piece.path("Sequence").path("id").asString(""));
      } else if (!known.has(special)) {
        return hazard(
            "puts special token '%s' around a text without describing it".formatted(special));
      }
    }
    return sequences.equals(List.of("A"))
        ? framed()
        : hazard("does not put tokens around one text");
  }

  private Optional<String> hazard(String words) {
    return Optional.of(section + " " + words);
  }

  /**
   * The first hazard among the fields of the model that are no lists.
   *
   * @param fields their values as text, by name
   */
  static Optional<String> ofModel(Map<String, String> fields) {
    String prefix = fields.getOrDefault("continuing_subword_prefix", "");
    return switch (fields.getOrDefault("type", "")) {
      case "BPE" ->
          prefix.isEmpty() || prefix.equals("null")
              ? Optional.empty()
              : Optional.of("model has continuing_subword_prefix '%s'".formatted(prefix));
      case "WordPiece" ->
          fields.getOrDefault("max_input_chars_per_word", "").matches("\\d{1,4}")
                  && Integer.parseInt(fields.get("max_input_chars_per_word")) <= LONGEST_WORD
              ? Optional.empty()
              : Optional.of("model takes words of any length");
      case "WordLevel", "Unigram" -> Optional.empty();
      default -> Optional.of("model has no type that is known");
    };
  }

  /** A token that is looked for in normalised text, which may leave nothing of it. */
  static Optional<String> ofAdded(String content, boolean normalized) {
    return !normalized || content.chars().anyMatch(Character::isLetterOrDigit)
        ? Optional.empty()
        : Optional.of("added_tokens has '%s', which is looked for normalised".formatted(content));
  }
}
