package dev.nibble.adapters;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * What PEFT trains beside an adapter's own tensors. Nibble reads and merges it, but does not train
 * it.
 *
 * @param biases which biases of the base trained: {@code none}, {@code all}, or those of the
 *     adapted modules
 * @param tokens ids of the rows of embeddings that trained, by the end of their module's name
 * @param tying whether what was done to the embeddings was done to a tied output head too
 */
record PeftExtras(String biases, Map<String, List<Integer>> tokens, boolean tying) {
  static final PeftExtras NONE = new PeftExtras("none", Map.of(), false);

  private static final String TOKENS = "trainable_token_indices";
  private static final String EMBEDDING = "embed_tokens";

  /** Keys of every method, of which a method has some. */
  static final List<String> KEYS = List.of("bias", TOKENS, "ensure_weight_tying");

  /**
   * Reads the keys.
   *
   * @param biases the values of {@code bias} that the method has
   */
  static PeftExtras read(PeftJson json, List<String> biases) {
    String bias = json.node("bias").isMissingNode() ? "none" : json.text("bias");
    if (!biases.contains(bias)) {
      json.wrong("bias", String.join(", ", biases));
    }
    return new PeftExtras(bias, tokens(json), json.flag("ensure_weight_tying", false));
  }

  private static Map<String, List<Integer>> tokens(PeftJson json) {
    JsonNode value = json.node(TOKENS);
    Map<String, List<Integer>> tokens = new LinkedHashMap<>();
    if (value.isArray()) {
      tokens.put(EMBEDDING, ids(json, value));
    } else if (value.isObject()) {
      value.properties().forEach(e -> tokens.put(e.getKey(), ids(json, e.getValue())));
    } else if (!value.isMissingNode() && !value.isNull()) {
      json.wrong(TOKENS, "null, a list of token ids, or such a list for each module");
    }
    return tokens;
  }

  private static List<Integer> ids(PeftJson json, JsonNode list) {
    List<Integer> ids = new ArrayList<>();
    for (JsonNode id : list) {
      if (!id.isInt() || id.asInt() < 0) {
        json.wrong(TOKENS, "token ids from 0 on");
        return List.of();
      }
      ids.add(id.asInt());
    }
    return ids;
  }

  /** The ids of a module's rows that trained; empty for a module of which none did. */
  Optional<List<Integer>> tokensOf(String module) {
    return tokens.entrySet().stream()
        .filter(e -> ModuleChoice.endsWith(module, e.getKey()))
        .map(Map.Entry::getValue)
        .findFirst();
  }

  /** The keys that say more than nothing, as they are written. */
  List<String> inUse() {
    List<String> used = new ArrayList<>();
    if (!biases.equals("none")) {
      used.add("bias " + biases);
    }
    if (!tokens.isEmpty()) {
      used.add(TOKENS + " " + tokens);
    }
    if (tying) {
      used.add("ensure_weight_tying");
    }
    return used;
  }
}
