package dev.nibble.recipes.recipe;

import dev.nibble.recipes.schema.Problems;
import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Node.Entry;
import dev.nibble.recipes.yaml.Node.Mapping;
import dev.nibble.recipes.yaml.Node.Scalar;
import dev.nibble.recipes.yaml.Node.Sequence;
import dev.nibble.recipes.yaml.Origin;
import dev.nibble.recipes.yaml.Place;
import dev.nibble.recipes.yaml.Yaml;
import dev.nibble.recipes.yaml.YamlException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Overrides of a recipe's values, as {@code --set key=value} gives them. Keys are dotted where
 * nested, list entries go by number ({@code datasets.0.path}), values are YAML.
 */
final class Overrides {
  private Overrides() {}

  /** The tree with one override in it; the tree as it was when the option makes no sense. */
  static Mapping apply(Mapping root, String option, Problems problems) {
    Place place = new Place(Origin.option("--set " + option), 1, 1);
    int equals = option.indexOf('=');
    if (equals < 1) {
      problems.add(place, "", "expected key=value");
      return root;
    }
    String key = option.substring(0, equals).strip();
    try {
      Node value =
          Yaml.read(place.origin(), option.substring(equals + 1))
              .orElseGet(() -> new Scalar(place, "", false));
      return (Mapping) put(root, List.of(key.split("\\.", -1)), 0, value, place);
    } catch (YamlException e) {
      problems.add(e.place(), key, e.reason());
    } catch (RecipeException e) {
      problems.add(place, key, String.valueOf(e.getMessage()));
    }
    return root;
  }

  private static Node put(Node node, List<String> path, int depth, Node value, Place place) {
    if (depth == path.size()) {
      return value;
    }
    String step = path.get(depth);
    return switch (node) {
      case Mapping m -> {
        List<Entry> entries = new ArrayList<>(m.entries());
        Optional<Entry> old = entries.stream().filter(e -> e.key().equals(step)).findFirst();
        Node child = old.map(Entry::value).orElseGet(() -> new Mapping(place, List.of()));
        Entry entry = new Entry(step, place, put(child, path, depth + 1, value, place));
        old.ifPresentOrElse(e -> entries.set(entries.indexOf(e), entry), () -> entries.add(entry));
        yield new Mapping(m.place(), List.copyOf(entries));
      }
      case Sequence s -> {
        int size = s.items().size();
        if (!step.matches("[0-9]{1,6}") || Integer.parseInt(step) > size) {
          throw new RecipeException(
              "%s has %s; use %s to change one or %d to add one, not %s"
                  .formatted(
                      before(path, depth),
                      size == 1 ? "1 entry (index 0)" : size + " entries",
                      size == 1 ? "0" : "0 to " + (size - 1),
                      size,
                      step));
        }
        int index = Integer.parseInt(step);
        List<Node> items = new ArrayList<>(s.items());
        if (index == items.size()) {
          items.add(new Mapping(place, List.of()));
        }
        items.set(index, put(items.get(index), path, depth + 1, value, place));
        yield new Sequence(s.place(), List.copyOf(items));
      }
      case Scalar s when s.kind() == Scalar.Kind.NOTHING ->
          put(new Mapping(place, List.of()), path, depth, value, place);
      case Scalar s ->
          throw new RecipeException(
              before(path, depth) + " is " + s.describe() + " and has no key " + step);
    };
  }

  private static String before(List<String> path, int depth) {
    return String.join(".", path.subList(0, depth));
  }
}
