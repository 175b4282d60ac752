package dev.nibble.data.tokenizer;

import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

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
   * Reads a section and checks the kinds in it; any other section is skipped.
   *
   * @param parser at the section's value
   */
  static void check(Path file, String section, JsonParser parser) {
    Set<String> kinds = KINDS.get(section);
    if (kinds == null) {
      parser.skipChildren();
      return;
    }
    int depth = 0;
    JsonToken token = parser.currentToken();
    while (true) {
      depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
      boolean kind = token == JsonToken.VALUE_STRING && "type".equals(parser.currentName());
      if (kind && !kinds.contains(parser.getString())) {
        throw new InvalidTokenizer(
            "%s: %s has a part of type '%s'; supported: %s."
                .formatted(
                    file, section, parser.getString(), String.join(", ", new TreeSet<>(kinds))));
      }
      if (depth == 0) {
        return;
      }
      token = parser.nextToken();
    }
  }
}
