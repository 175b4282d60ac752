package dev.nibble.data.tokenizer;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The tokens that the files beside tokenizer.json name: {@code added_tokens_decoder}, the tokens
 * with a role, and further special tokens. As in transformers, what tokenizer.json does not add
 * already is added behind it, in this order. A padding token is not, because nothing is padded.
 *
 * @param wanted each token by its text
 */
record AddedTokens(Map<String, Wanted> wanted) {
  private static final JsonMapper JSON = new JsonMapper();
  private static final List<String> ROLES =
      List.of("bos_token", "eos_token", "unk_token", "sep_token", "cls_token", "mask_token");
  private static final List<String> FURTHER =
      List.of("extra_special_tokens", "additional_special_tokens");
  private static final List<String> FLAGS =
      List.of("single_word", "lstrip", "rstrip", "normalized");

  /**
   * A token.
   *
   * @param id where a file gives one
   * @param fields as {@code added_tokens} of tokenizer.json has them
   */
  record Wanted(OptionalInt id, ObjectNode fields) {}

  /** A tokenizer with all its tokens, and one more than its largest id. */
  record Complete(String json, int size) {}

  static AddedTokens read(Path folder) {
    JsonNode config = RoleNames.json(folder.resolve("tokenizer_config.json"));
    JsonNode map = RoleNames.json(folder.resolve("special_tokens_map.json"));
    Map<String, Wanted> wanted = new LinkedHashMap<>();
    decoder(folder, config.path("added_tokens_decoder"))
        .forEach((id, token) -> add(wanted, OptionalInt.of(id), token));
    for (String role : ROLES) {
      add(wanted, OptionalInt.empty(), config.has(role) ? config.path(role) : map.path(role));
    }
    for (String list : FURTHER) {
      JsonNode tokens = config.has(list) ? config.path(list) : map.path(list);
      tokens.forEach(token -> add(wanted, OptionalInt.empty(), token));
    }
    return new AddedTokens(wanted);
  }

  private static Map<Integer, JsonNode> decoder(Path folder, JsonNode node) {
    Map<Integer, JsonNode> byId = new TreeMap<>();
    node.properties()
        .forEach(e -> {
          try {
            byId.put(Integer.parseInt(e.getKey()), e.getValue());
          } catch (NumberFormatException x) {
            throw new InvalidTokenizer(
                "%s: added_tokens_decoder has a key '%s', expected a token id."
                    .formatted(folder.resolve("tokenizer_config.json"), e.getKey()),
                x);
          }
        });
    return byId;
  }

  /** A token is its text, or an object with its text and flags. */
  private static void add(Map<String, Wanted> wanted, OptionalInt id, JsonNode token) {
    String content = token.isObject() ? token.path("content").asString("") : token.asString("");
    if (content.isEmpty() || wanted.containsKey(content)) {
      return;
    }
    ObjectNode fields = JSON.createObjectNode();
    fields.put("content", content);
    FLAGS.forEach(flag -> fields.put(flag, token.path(flag).asBoolean(false)));
    fields.put("special", id.isEmpty() || token.path("special").asBoolean(false));
    wanted.put(content, new Wanted(id, fields));
  }

  /** The texts. */
  Set<String> tokens() {
    return wanted.keySet();
  }

  /**
   * Adds what is missing.
   *
   * @param file for errors
   * @param json the text of tokenizer.json
   * @throws InvalidTokenizer when a file gives a token another id than it has
   */
  Complete complete(Path file, String json, Vocabulary vocabulary) {
    int size = vocabulary.size();
    List<ObjectNode> missing = new ArrayList<>();
    for (Map.Entry<String, Wanted> e : wanted.entrySet()) {
      boolean added = vocabulary.added().containsKey(e.getKey());
      OptionalInt known = vocabulary.id(e.getKey());
      int id = known.orElse(size);
      OptionalInt asked = e.getValue().id();
      if (asked.isPresent() && asked.getAsInt() != id) {
        throw new InvalidTokenizer(
            "%s: added_tokens_decoder gives token '%s' the id %d, but %s %d. The two files are of different tokenizers; fetch both again."
                .formatted(
                    file.resolveSibling("tokenizer_config.json"),
                    e.getKey(),
                    asked.getAsInt(),
                    known.isPresent()
                        ? "in tokenizer.json it is"
                        : "tokenizer.json lacks it and its next id is",
                    id));
      }
      if (!added) {
        missing.add(e.getValue().fields().put("id", id));
        size = Math.max(size, id + 1);
      }
    }
    return missing.isEmpty() ? new Complete(json, size) : new Complete(with(missing, json), size);
  }

  private static String with(List<ObjectNode> missing, String json) {
    ObjectNode tokenizer = (ObjectNode) JSON.readTree(json);
    ArrayNode added = tokenizer.withArray("added_tokens");
    missing.forEach(added::add);
    return JSON.writeValueAsString(tokenizer);
  }
}
