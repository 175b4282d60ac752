package dev.nibble.data.tokenizer;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * The part of tokenizer.json that Nibble itself reads: its size, its added tokens, and the ids of a
 * few others.
 *
 * @param size one more than the largest id
 * @param ids the ids of the wanted tokens that exist
 * @param added the tokens of {@code added_tokens}
 */
record Vocabulary(int size, Map<String, Integer> ids, Map<String, Added> added) {
  /**
   * An added token.
   *
   * @param normalized whether it is looked for in normalised text
   */
  record Added(int id, boolean normalized) {}

  private static final JsonFactory JSON = new JsonFactory();

  OptionalInt id(String token) {
    Integer id = ids.get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  static Vocabulary read(Path file, String json, Set<String> wanted) {
    Reading reading = new Reading(wanted);
    try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new InvalidTokenizer(file + ": is no tokenizer: expected a JSON object.");
      }
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        switch (name) {
          case "model" -> reading.model(parser);
          case "added_tokens" -> reading.addedTokens(parser);
          default -> TokenizerParts.check(file, name, parser);
        }
      }
    } catch (JacksonException e) {
      throw new InvalidTokenizer(
          "%s: is not valid JSON (line %d: %s). Fetch the file again."
              .formatted(file, e.getLocation().getLineNr(), e.getOriginalMessage()),
          e);
    }
    if (reading.largest < 0) {
      throw new InvalidTokenizer(
          file + ": has no vocabulary ('model.vocab'). Fetch the file again.");
    }
    return new Vocabulary(reading.largest + 1, reading.ids, reading.added);
  }

  /** One pass over the file. An added token overrides an entry of the model's vocabulary. */
  private static final class Reading {
    private final Set<String> wanted;
    private final Map<String, Integer> ids = new HashMap<>();
    private final Map<String, Added> added = new LinkedHashMap<>();
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

    void model(JsonParser parser) {
      if (parser.currentToken() != JsonToken.START_OBJECT) {
        return;
      }
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        boolean vocabulary = parser.currentName().equals("vocab");
        JsonToken value = parser.nextToken();
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
        added.put(content, new Added(id, normalized));
      }
    }
  }
}
