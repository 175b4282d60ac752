package dev.nibble.trainer.export.gguf;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/**
 * A tokenizer.json whose model is BPE.
 *
 * @param vocab the model's tokens and their ids
 * @param merges pairs that are joined, the first ones first
 * @param added tokens that are cut out of the text, by id
 * @param json for what is read elsewhere
 */
record BpeTokenizer(
    Map<String, Integer> vocab,
    List<Merge> merges,
    TreeMap<Integer, Added> added,
    JsonFile model,
    JsonFile json) {

  /** Two neighbouring tokens that become one. */
  record Merge(String left, String right) {
    String joined() {
      return left + right;
    }
  }

  /**
   * An added token.
   *
   * @param special left out when ids are turned into text
   * @param normalized looked for in the text with ▁ for spaces, not in the raw one
   * @param plain matched wherever it stands, without swallowing the spaces around it
   */
  record Added(String content, boolean special, boolean normalized, boolean plain) {}

  static BpeTokenizer read(JsonFile json) {
    JsonFile model = json.object("model").orElseThrow(() -> json.wrong("model", "BPE"));
    if (!model.text("type", model.has("merges") ? "BPE" : "").equals("BPE")) {
      throw model.wrong("type", "BPE");
    }
    for (String key : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
      if (!model.text(key, "").isEmpty()) {
        throw model.wrong(key, "none");
      }
    }
    Map<String, Integer> vocab = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> e : model.get("vocab").properties()) {
      vocab.put(e.getKey(), id(model, "vocab", e.getValue()));
    }
    List<Merge> merges = new ArrayList<>();
    for (JsonNode merge : model.get("merges")) {
      merges.add(merge(model, merge));
    }
    TreeMap<Integer, Added> added = new TreeMap<>();
    for (JsonNode token : json.get("added_tokens")) {
      boolean plain =
          !token.path("lstrip").asBoolean(false)
              && !token.path("rstrip").asBoolean(false)
              && !token.path("single_word").asBoolean(false);
      added.put(
          id(json, "added_tokens", token.path("id")),
          new Added(
              token.path("content").asString(""),
              token.path("special").asBoolean(false),
              token.path("normalized").asBoolean(false),
              plain));
    }
    return new BpeTokenizer(vocab, merges, added, model, json);
  }

  private static int id(JsonFile json, String key, JsonNode id) {
    if (!id.isInt() || id.asInt() < 0) {
      throw json.wrong(key, "tokens with ids from 0 on");
    }
    return id.asInt();
  }

  /** Either ["a", "b"] or, in older files, "a b". */
  private static Merge merge(JsonFile model, JsonNode merge) {
    if (merge.isArray() && merge.size() == 2) {
      return new Merge(merge.get(0).asString(), merge.get(1).asString());
    }
    String text = merge.asString("");
    int space = text.indexOf(' ');
    if (space < 1) {
      throw model.wrong("merges", "pairs of tokens");
    }
    return new Merge(text.substring(0, space), text.substring(space + 1));
  }

  /** The parts of the normalizer, or of the pre-tokenizer, with sequences taken apart. */
  List<JsonNode> parts(String key, String sequence) {
    List<JsonNode> parts = new ArrayList<>();
    collect(json.get(key), sequence, parts);
    return parts;
  }

  private static void collect(JsonNode node, String sequence, List<JsonNode> parts) {
    if (node.path("type").asString("").equals("Sequence")) {
      node.path(sequence).forEach(part -> collect(part, sequence, parts));
    } else if (node.isObject()) {
      parts.add(node);
    }
  }
}
