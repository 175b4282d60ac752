package dev.nibble.data.tokenizer;

import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;

/**
 * The kinds of parts that a tokenizer.json may have. The library takes a part of a kind that it
 * does not know for an old one with the same fields, so kinds are checked here.
 */
final class TokenizerParts {
  private static final Map<String, Set<String>> KINDS =
      Map.of(
          "normalizer",
          Set.of(
              "BertNormalizer",
              "ByteLevel",
              "Lowercase",
              "NFC",
              "NFD",
              "NFKC",
              "NFKD",
              "Nmt",
              "Precompiled",
              "Prepend",
              "Replace",
              "Sequence",
              "Strip",
              "StripAccents"),
          "pre_tokenizer",
          Set.of(
              "BertPreTokenizer",
              "ByteLevel",
              "CharDelimiterSplit",
              "Digits",
              "FixedLength",
              "Metaspace",
              "Punctuation",
              "Sequence",
              "Split",
              "UnicodeScripts",
              "Whitespace",
              "WhitespaceSplit"),
          "post_processor",
          Set.of(
              "BertProcessing", "ByteLevel", "RobertaProcessing", "Sequence", "TemplateProcessing"),
          "decoder",
          Set.of(
              "BPEDecoder",
              "ByteFallback",
              "ByteLevel",
              "CTC",
              "Fuse",
              "Metaspace",
              "Replace",
              "Sequence",
              "Strip",
              "WordPiece"));

  private TokenizerParts() {}

  /**
   * Checks the kinds in a section.
   *
   * @param part the section's value
   * @throws InvalidTokenizer when it has a part of a kind that the library does not know
   */
  static void check(Path file, String section, JsonNode part) {
    Set<String> kinds = KINDS.getOrDefault(section, Set.of());
    JsonNode type = part.path("type");
    if (type.isString() && !kinds.contains(type.asString())) {
      throw new InvalidTokenizer(
          "%s: %s has a part of type '%s'; supported: %s."
              .formatted(file, section, type.asString(), String.join(", ", new TreeSet<>(kinds))));
    }
    for (JsonNode inner : part) {
      check(file, section, inner);
    }
  }

  /** Whether a section consists of parts. */
  static boolean isSection(String name) {
    return KINDS.containsKey(name);
  }
}
