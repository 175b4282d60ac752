package dev.nibble.trainer.export.gguf;

import dev.nibble.trainer.export.gguf.BpeTokenizer.Merge;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * BPE over characters with ▁ for a space and bytes for unknown characters, as SentencePiece trains
 * it. llama.cpp joins any two tokens whose text together is a token, the one with the highest score
 * first; so a token's score is the negative rank of the merge that makes it.
 */
final class SentencePieceBpe {
  private static final String SPACE = "\u2581";

  private SentencePieceBpe() {}

  /** The tokens that stand for single bytes. */
  static List<String> byteTokens() {
    List<String> tokens = new ArrayList<>();
    for (int b = 0; b < 256; b++) {
      tokens.add("<0x%02X>".formatted(b));
    }
    return tokens;
  }

  /** Whether a space is put before the text; checks that all else is as llama.cpp has it. */
  static boolean addsSpacePrefix(BpeTokenizer tokenizer, List<String> warnings) {
    if (!tokenizer.model().flag("byte_fallback", false)) {
      throw tokenizer
          .json()
          .wrong(
              "pre_tokenizer", "ByteLevel; or another one, where \"model.byte_fallback\" is true");
    }
    boolean marksSpaces = false;
    boolean prefix = false;
    for (JsonNode part : tokenizer.parts("normalizer", "normalizers")) {
      boolean replaces =
          type(part).equals("Replace")
              && part.path("pattern").path("String").asString("").equals(" ")
              && part.path("content").asString("").equals(SPACE);
      boolean prepends =
          type(part).equals("Prepend") && part.path("prepend").asString("").equals(SPACE);
      if (!replaces && !prepends) {
        throw tokenizer.json().wrong("normalizer", "Prepend and Replace, for spaces");
      }
      marksSpaces |= replaces;
      prefix |= prepends;
    }
    for (JsonNode part : tokenizer.parts("pre_tokenizer", "pretokenizers")) {
      boolean splitsAtSpaces =
          type(part).equals("Split")
              && part.path("pattern").path("String").asString("").equals(" ")
              && marksSpaces; // so that there is none left
      if (!splitsAtSpaces && !type(part).equals("Metaspace")) {
        throw tokenizer.json().wrong("pre_tokenizer", "none, Metaspace");
      }
      if (type(part).equals("Metaspace")) {
        marksSpaces = true;
        boolean legacy = part.path("add_prefix_space").asBoolean(true);
        String scheme = part.path("prepend_scheme").asString(legacy ? "always" : "never");
        prefix = !scheme.equals("never");
        if (scheme.equals("first")) {
          warnings.add(
              "the tokenizer puts a space before the text only, llama.cpp behind every special token too");
        }
      }
    }
    if (!marksSpaces) {
      throw tokenizer.json().wrong("normalizer", "one that writes " + SPACE + " for a space");
    }
    return prefix;
  }

  /** A score for each id. */
  static float[] scores(BpeTokenizer tokenizer, String[] tokens, List<String> warnings) {
    List<Merge> merges = tokenizer.merges();
    Map<String, Integer> first = new HashMap<>();
    Set<String> scattered = new HashSet<>();
    for (int rank = 0; rank < merges.size(); rank++) {
      String joined = merges.get(rank).joined();
      boolean again = first.putIfAbsent(joined, rank) != null;
      if (again && !merges.get(rank - 1).joined().equals(joined)) {
        scattered.add(joined);
      }
    }
    float[] scores = new float[tokens.length];
    Arrays.fill(scores, -merges.size());
    first.forEach((token, rank) -> {
      Integer id = tokenizer.vocab().get(token);
      if (id != null && id < scores.length) {
        scores[id] = -rank;
      }
    });
    scattered.addAll(otherwiseJoined(tokenizer));
    if (!scattered.isEmpty()) {
      warnings.add(
          "llama.cpp may join %d of %d tokens in another order than tokenizer.json says, or from other parts: rare words may be split differently"
              .formatted(scattered.size(), tokens.length));
    }
    return scores;
  }

  /** Tokens that two others spell but no merge joins from them. */
  private static Set<String> otherwiseJoined(BpeTokenizer tokenizer) {
    Set<Merge> merges = new HashSet<>(tokenizer.merges());
    Set<String> bytes = new HashSet<>(byteTokens());
    Set<String> found = new HashSet<>();
    for (Map.Entry<String, Integer> e : tokenizer.vocab().entrySet()) {
      String token = e.getKey();
      if (tokenizer.added().containsKey(e.getValue()) || bytes.contains(token)) {
        continue;
      }
      for (int i = 1; i < token.length(); i++) {
        Merge parts = new Merge(token.substring(0, i), token.substring(i));
        if (tokenizer.vocab().containsKey(parts.left())
            && tokenizer.vocab().containsKey(parts.right())
            && !merges.contains(parts)) {
          found.add(token);
        }
      }
    }
    return found;
  }

  private static String type(JsonNode part) {
    return part.path("type").asString("");
  }
}
