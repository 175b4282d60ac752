package dev.nibble.data.tokenizer;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The part of tokenizer.json that Nibble itself reads: its size, its added tokens, and the ids of a
 * few others.
 *
 * @param size one more than the largest id
 * @param ids the ids of the wanted tokens that exist
 * @param added the tokens of {@code added_tokens}
 * @param hazards what may make the native library panic
 */
record Vocabulary(
    int size, Map<String, Integer> ids, Map<String, Added> added, List<String> hazards) {
  /**
   * An added token.
   *
   * @param normalized whether it is looked for in normalised text
   */
  record Added(int id, boolean normalized) {}

  /** A name that comes twice would be read one way here and another way by the library. */
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY).build();

  OptionalInt id(String token) {
    Integer id = ids.get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  static Vocabulary read(Path file, String json, Set<String> wanted) {
    Reading reading = new Reading(wanted);
    try (JsonParser parser = JSON.createParser(json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new InvalidTokenizer(file + ": is no tokenizer: expected a JSON object.");
      }
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        switch (name) {
          case "model" -> reading.model(parser);
          case "added_tokens" -> reading.addedTokens(parser);
          default -> reading.section(file, name, parser);
        }
      }
    } catch (JacksonException e) {
      throw new InvalidTokenizer(
          "%s: is not valid JSON, or a value is of another kind than expected: %s. Fetch the file again."
              .formatted(file, ModelJson.of(e, json)),
          e);
    }
    if (reading.largest < 0) {
      throw new InvalidTokenizer(
          file + ": has no vocabulary ('model.vocab'). Fetch the file again.");
    }
    Hazards.ofModel(reading.fields).ifPresent(reading.hazards::add);
    return new Vocabulary(
        reading.largest + 1, reading.ids, reading.added, List.copyOf(reading.hazards));
  }

  /** One pass over the file. An added token overrides an entry of the model's vocabulary. */
  private static final class Reading {
    private final Set<String> wanted;
    private final Map<String, Integer> ids = new HashMap<>();
    private final Map<String, Added> added = new LinkedHashMap<>();
    private final Map<String, String> fields = new HashMap<>();
    private final Set<String> hazards = new LinkedHashSet<>();
    private int largest = -1;

    Reading(Set<String> wanted) {
      this.wanted = wanted;
    }

    private void add(String token, int id, boolean added) {
      largest = Math.max(largest, id);
      if (wanted.contains(token)) {
        if (added) {
          ids.put(token, id);
        } else {
          ids.putIfAbsent(token, id);
        }
      }
    }

    void section(Path file, String name, JsonParser parser) {
      if (!TokenizerParts.isSection(name)) {
        parser.skipChildren();
        return;
      }
      JsonNode part = parser.readValueAsTree();
      TokenizerParts.check(file, name, part);
      Hazards.of(name, part).ifPresent(hazards::add);
    }

    void model(JsonParser parser) {
      if (parser.currentToken() != JsonToken.START_OBJECT) {
        return;
      }
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = parser.currentName();
        boolean vocabulary = name.equals("vocab");
        JsonToken value = parser.nextToken();
        if (fields.put(name, value.isScalarValue() ? parser.getString() : "") != null) {
          hazards.add("model has '%s' twice".formatted(name));
        }
        if (vocabulary && value == JsonToken.START_OBJECT) {
          while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String token = parser.currentName();
            parser.nextToken();
            add(token, parser.getIntValue(), false);
          }
        } else if (vocabulary && value == JsonToken.START_ARRAY) {
          scoredPieces(parser);
        } else {
          parser.skipChildren();
        }
      }
    }

    /** A unigram model lists [piece, score]; the id is the place in the list. */
    private void scoredPieces(JsonParser parser) {
      for (int id = 0; parser.nextToken() == JsonToken.START_ARRAY; id++) {
        parser.nextToken();
        if (parser.getString().isEmpty()) {
          hazards.add("model has an empty piece");
        }
        add(parser.getString(), id, false);
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          parser.skipChildren();
        }
      }
    }

    void addedTokens(JsonParser parser) {
      if (parser.currentToken() != JsonToken.START_ARRAY) {
        return;
      }
      while (parser.nextToken() == JsonToken.START_OBJECT) {
        int id = -1;
        String content = "";
        boolean normalized = false;
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
          String field = parser.currentName();
          parser.nextToken();
          switch (field) {
            case "id" -> id = parser.getIntValue();
            case "content" -> content = parser.getString();
            case "normalized" -> normalized = parser.getBooleanValue();
            default -> parser.skipChildren();
          }
        }
        add(content, id, true);
        Hazards.ofAdded(content, normalized).ifPresent(hazards::add);
        added.put(content, new Added(id, normalized));
      }
    }
  }
}
