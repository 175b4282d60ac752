package dev.nibble.trainer.export.gguf;

import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * How byte-level BPE cuts text into words. GGUF names the rule instead of holding it, and llama.cpp
 * knows the names. The rule is recognised by its regular expressions; a tokenizer that was trained
 * anew with a known rule has its name too.
 */
final class PreTokenizer {
  private static final String CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  private static final String OTHERS =
      " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String OTHERS_WITH_SLASH =
      " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String CAPITALISED =
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+";
  private static final String CAPITALS =
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*";
  private static final String WORDS = CONTRACTIONS + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";

  private static final List<Rule> RULES =
      List.of(
          new Rule("llama-bpe", WORDS + "\\p{N}{1,3}|" + OTHERS, true),
          new Rule("dbrx", WORDS + "\\p{N}{1,3}|" + OTHERS, false),
          new Rule("qwen2", WORDS + "\\p{N}|" + OTHERS, false),
          new Rule(
              "gpt-4o",
              "%s%s?|%s%s?|\\p{N}{1,3}|%s"
                  .formatted(CAPITALISED, CONTRACTIONS, CAPITALS, CONTRACTIONS, OTHERS_WITH_SLASH),
              false),
          new Rule(
              "tekken",
              "%s|%s|\\p{N}|%s".formatted(CAPITALISED, CAPITALS, OTHERS_WITH_SLASH),
              true));

  /**
   * A rule of one regular expression.
   *
   * @param ignoreMerges whether a word that is a token stays one, whatever the merges say
   */
  private record Rule(String name, String regex, boolean ignoreMerges) {}

  private PreTokenizer() {}

  /** True when words are spelled in bytes; other BPE is that of SentencePiece. */
  static boolean isByteLevel(BpeTokenizer tokenizer) {
    return tokenizer.parts("pre_tokenizer", "pretokenizers").stream()
        .anyMatch(part -> type(part).equals("ByteLevel"));
  }

  /** The name of a byte-level tokenizer's rule. */
  static String nameOf(BpeTokenizer tokenizer, List<String> warnings) {
    for (JsonNode part : tokenizer.parts("normalizer", "normalizers")) {
      if (!type(part).equals("NFC")) {
        throw tokenizer.json().wrong("normalizer", "none, NFC");
      }
      warnings.add(
          "the tokenizer composes accents first (NFC), llama.cpp does not: such text must come composed");
    }
    boolean ignoreMerges = tokenizer.model().flag("ignore_merges", false);
    List<JsonNode> parts = tokenizer.parts("pre_tokenizer", "pretokenizers");
    JsonNode last = parts.getLast();
    if (type(last).equals("ByteLevel") && !last.path("add_prefix_space").asBoolean(true)) {
      boolean gpt2 = last.path("use_regex").asBoolean(true) && !ignoreMerges;
      if (gpt2 && parts.size() == 1) {
        return "gpt-2";
      }
      if (gpt2 && parts.size() == 2 && isSingleDigits(parts.getFirst())) {
        return "smollm";
      }
      if (!last.path("use_regex").asBoolean(true) && parts.size() == 2) {
        JsonNode split = parts.getFirst();
        for (Rule rule : RULES) {
          if (rule.ignoreMerges() == ignoreMerges && isSplit(split, rule.regex())) {
            return rule.name();
          }
        }
      }
    }
    throw tokenizer
        .json()
        .wrong(
            "pre_tokenizer",
            "those of GPT-2, GPT-4o, SmolLM, Llama 3, Qwen 2 and Mistral Nemo, each with their \"ignore_merges\"");
  }

  private static boolean isSingleDigits(JsonNode part) {
    return type(part).equals("Digits") && part.path("individual_digits").asBoolean(false);
  }

  private static boolean isSplit(JsonNode part, String regex) {
    return type(part).equals("Split")
        && part.path("pattern").path("Regex").asString("").equals(regex)
        && part.path("behavior").asString("").equals("Isolated")
        && !part.path("invert").asBoolean(false);
  }

  private static String type(JsonNode part) {
    return part.path("type").asString("");
  }
}
