package dev.nibble.data.tokenizer;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * Texts of the tokens that have a role. {@code tokenizer_config.json} names them by their text and
 * goes first, then {@code special_tokens_map.json}; where neither mentions a role, {@code
 * generation_config.json} and {@code config.json} give the id. A null in the first file means that
 * there is none.
 *
 * @param names the text of the token by role
 * @param ids the id by role, for roles without a name
 * @param stop further ids at which generation stops
 */
record RoleNames(Map<String, String> names, Map<String, Integer> ids, List<Integer> stop) {
  private static final List<String> ROLES = List.of("bos_token", "eos_token", "pad_token");

  static RoleNames read(Path folder) {
    JsonNode tokenizer = json(folder.resolve("tokenizer_config.json"));
    JsonNode map = json(folder.resolve("special_tokens_map.json"));
    JsonNode generation = json(folder.resolve("generation_config.json"));
    JsonNode model = json(folder.resolve("config.json"));
    Map<String, String> names = new HashMap<>();
    Map<String, Integer> ids = new HashMap<>();
    for (String role : ROLES) {
      JsonNode entry = tokenizer.has(role) ? tokenizer.path(role) : map.path(role);
      String name = entry.isObject() ? entry.path("content").asString("") : entry.asString("");
      if (!name.isEmpty()) {
        names.put(role, name);
      } else if (!entry.isNull()) {
        String key = role + "_id";
        integers(generation.has(key) ? generation.path(key) : model.path(key)).stream()
            .findFirst()
            .ifPresent(id -> ids.put(role, id));
      }
    }
    String eos = "eos_token_id";
    return new RoleNames(
        names, ids, integers(generation.has(eos) ? generation.path(eos) : model.path(eos)));
  }

  /** The tokens whose ids are to be looked up. */
  Set<String> tokens() {
    return Set.copyOf(names.values());
  }

  SpecialTokens resolve(Vocabulary vocabulary) {
    OptionalInt eos = id("eos_token", vocabulary);
    Set<Integer> stops = new LinkedHashSet<>();
    eos.ifPresent(stops::add);
    stops.addAll(stop);
    return new SpecialTokens(
        id("bos_token", vocabulary), eos, id("pad_token", vocabulary), List.copyOf(stops));
  }

  private OptionalInt id(String role, Vocabulary vocabulary) {
    String name = names.get(role);
    if (name != null) {
      return vocabulary.id(name);
    }
    Integer id = ids.get(role);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  private static List<Integer> integers(JsonNode node) {
    List<Integer> ids = new ArrayList<>();
    if (node.isInt()) {
      ids.add(node.asInt());
    }
    for (JsonNode item : node) {
      if (item.isInt()) {
        ids.add(item.asInt());
      }
    }
    return ids;
  }

  /** A JSON file; an empty object for one that is not there. */
  static JsonNode json(Path file) {
    return ModelJson.read(file, InvalidTokenizer::new);
  }
}
