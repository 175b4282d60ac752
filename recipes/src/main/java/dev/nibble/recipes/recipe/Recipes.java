package dev.nibble.recipes.recipe;

import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.Problems;
import dev.nibble.recipes.schema.Schema.Group;
import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Node.Mapping;
import dev.nibble.recipes.yaml.Origin;
import dev.nibble.recipes.yaml.Place;
import dev.nibble.recipes.yaml.Yaml;
import dev.nibble.recipes.yaml.YamlException;
import dev.nibble.recipes.yaml.YamlText;
import dev.nibble.trainer.run.RunSettings;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Reader and writer of recipes. */
public final class Recipes {
  private Recipes() {}

  /**
   * Reads a recipe file. Keys of other tools that are ignored are not told: {@link #read(Path,
   * List, Consumer)} tells them.
   *
   * @param overrides {@code key=value} each, as {@code --set} takes them
   * @throws RecipeException with everything that is wrong
   */
  public static Recipe read(Path file, List<String> overrides) {
    return read(file, overrides, note -> {});
  }

  /**
   * Reads a recipe file.
   *
   * @param overrides {@code key=value} each, as {@code --set} takes them
   * @param notes hears of each key of another tool that is ignored, because its value asks for what
   *     Nibble does anyway: place, key and reason
   * @throws RecipeException with everything that is wrong
   */
  public static Recipe read(Path file, List<String> overrides, Consumer<String> notes) {
    if (Files.isDirectory(file)) {
      throw new RecipeException(file + ": is a folder; expected a recipe, a file in YAML");
    }
    try {
      return parse(Origin.file(file), Files.readString(file), overrides, notes);
    } catch (NoSuchFileException e) {
      throw new RecipeException(file + ": no such file; expected a recipe");
    } catch (CharacterCodingException e) {
      throw new RecipeException(file + ": is not UTF-8 text; expected a recipe, a file in YAML");
    } catch (IOException e) {
      throw new RecipeException(file + ": cannot be read: " + e.getMessage());
    }
  }

  /**
   * Reads a recipe's text.
   *
   * @throws RecipeException with everything that is wrong
   */
  static Recipe parse(Origin origin, String text, List<String> overrides) {
    return parse(origin, text, overrides, note -> {});
  }

  private static Recipe parse(
      Origin origin, String text, List<String> overrides, Consumer<String> notes) {
    Problems problems = new Problems();
    Mapping root = root(origin, text);
    for (String override : overrides) {
      root = Overrides.apply(root, override, problems);
    }
    Optional<Recipe> recipe = RecipeKeys.SCHEMA.read(root, "", problems);
    Recipe good =
        recipe
            .filter(r -> problems.none())
            .orElseThrow(() -> new RecipeException(problems.inOrder()));
    problems.notes().forEach(note -> notes.accept(note.toString()));
    return good;
  }

  private static Mapping root(Origin origin, String text) {
    Place start = new Place(origin, 1, 1);
    try {
      Node node = Yaml.read(origin, text).orElseGet(() -> new Mapping(start, List.of()));
      if (node instanceof Mapping mapping) {
        return mapping;
      }
      throw new RecipeException(
          node.place()
              + ": expected keys with values, such as base_model: …, got "
              + node.describe());
    } catch (YamlException e) {
      throw new RecipeException(e.place() + ": " + e.reason());
    }
  }

  /**
   * The recipe in YAML, every default filled in and every input path absolute; {@link #read} gives
   * an equal recipe.
   */
  public static String resolved(Recipe recipe) {
    StringBuilder s = new StringBuilder("# The recipe of this run, every default filled in.\n");
    for (Group<Recipe> group : RecipeKeys.SCHEMA.groups()) {
      StringBuilder entries = new StringBuilder();
      for (Key<Recipe, ?> key : group.keys()) {
        key.plain(recipe).ifPresent(v -> entries.append(YamlText.entry(key.name(), v)));
      }
      if (!entries.isEmpty()) {
        s.append("\n# ").append(group.title()).append('\n').append(entries);
      }
    }
    return s.toString();
  }

  /** What of a recipe decides its run's result, by the keys' names. */
  public static RunSettings settings(Recipe recipe) {
    return DecisiveKeys.of(recipe);
  }
}
