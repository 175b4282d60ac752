package dev.nibble.recipes.yaml;

import dev.nibble.recipes.yaml.Node.Entry;
import dev.nibble.recipes.yaml.Node.Mapping;
import dev.nibble.recipes.yaml.Node.Scalar;
import dev.nibble.recipes.yaml.Node.Sequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.dataformat.yaml.YAMLFactory;

/**
 * Reader of one YAML document into a tree. Jackson gives tokens and places; what a scalar means is
 * decided by {@link Scalar#kind}. Anchors, aliases and tags are refused: a value stands where it is
 * used.
 */
public final class Yaml {
  private final Origin origin;
  private final int[] characters;
  private final JsonParser parser;

  private Yaml(Origin origin, String text, JsonParser parser) {
    this.origin = origin;
    this.characters = text.codePoints().toArray();
    this.parser = parser;
  }

  /**
   * Reads a text.
   *
   * @return the tree; empty when the text holds nothing but comments
   * @throws YamlException when it is not YAML
   */
  public static Optional<Node> read(Origin origin, String text) {
    String content = text.startsWith("\uFEFF") ? text.substring(1) : text;
    try (JsonParser parser = new YAMLFactory().createParser(ObjectReadContext.empty(), content)) {
      return new Yaml(origin, content, parser).document();
    } catch (JacksonException e) {
      throw syntaxError(origin, content, e);
    }
  }

  private Optional<Node> document() {
    JsonToken first = parser.nextToken();
    if (first == null) {
      return Optional.empty();
    }
    Node root = node(first);
    if (parser.nextToken() != null) {
      throw new YamlException(
          place(), "a second YAML document starts here; a recipe is one document");
    }
    return Optional.of(root);
  }

  private Node node(JsonToken token) {
    Place place = place();
    refuseReferences(place);
    return switch (token) {
      case START_OBJECT -> mapping(place);
      case START_ARRAY -> sequence(place);
      default -> new Scalar(place, parser.getString(), quoted());
    };
  }

  private Mapping mapping(Place place) {
    List<Entry> entries = new ArrayList<>();
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String key = parser.getString();
      Place keyPlace = place();
      entries.add(new Entry(key, keyPlace, node(parser.nextToken())));
    }
    return new Mapping(place, List.copyOf(entries));
  }

  private Sequence sequence(Place place) {
    List<Node> items = new ArrayList<>();
    for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
      items.add(node(t));
    }
    return new Sequence(place, List.copyOf(items));
  }

  private void refuseReferences(Place place) {
    switch (firstCharacter()) {
      case '&', '*' ->
          throw new YamlException(
              place, "anchors (&) and aliases (*) are not allowed; write the value out");
      case '!' -> throw new YamlException(place, "tags (!) are not allowed; write the value alone");
      default -> {}
    }
  }

  private boolean quoted() {
    return switch (firstCharacter()) {
      case '"', '\'', '|', '>' -> true;
      default -> false;
    };
  }

  private int firstCharacter() {
    long at = parser.currentTokenLocation().getCharOffset();
    return at >= 0 && at < characters.length ? characters[(int) at] : ' ';
  }

  private Place place() {
    TokenStreamLocation at = parser.currentTokenLocation();
    return new Place(origin, at.getLineNr(), at.getColumnNr());
  }

  private static YamlException syntaxError(Origin origin, String text, JacksonException e) {
    if (e.getCause() instanceof MarkedYamlEngineException cause) {
      Mark mark = cause.getProblemMark().orElse(null);
      return new YamlException(
          mark == null
              ? new Place(origin, 1, 1)
              : new Place(origin, mark.getLine() + 1, mark.getColumn() + 1),
          "not valid YAML: "
              + YamlProblem.of(Optional.ofNullable(cause.getProblem()))
              + hint(text, mark));
    }
    TokenStreamLocation at = e.getLocation();
    return new YamlException(
        at == null ? new Place(origin, 1, 1) : new Place(origin, at.getLineNr(), at.getColumnNr()),
        "not valid YAML: " + YamlProblem.of(Optional.ofNullable(e.getOriginalMessage())));
  }

  private static String hint(String text, @Nullable Mark mark) {
    List<String> lines = text.lines().toList();
    if (mark == null || mark.getLine() >= lines.size()) {
      return "";
    }
    String line = lines.get(mark.getLine());
    return line.stripTrailing().matches("(?s) *\t.*")
        ? " (YAML indents with spaces, not tabs)"
        : "";
  }
}
