package dev.nibble.recipes.recipe;

import dev.nibble.recipes.schema.KeyType;
import dev.nibble.recipes.schema.KeyTypes;
import dev.nibble.recipes.schema.Problems;
import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Node.Scalar;
import dev.nibble.recipes.yaml.Node.Sequence;
import java.util.List;
import java.util.Optional;

/** {@code all-linear}, which reads as an empty list, or module names. */
record LoraTargets() implements KeyType<List<String>> {
  private static final String ALL = "all-linear";
  private static final KeyType<List<String>> NAMES = KeyTypes.listOf(KeyTypes.text(), "names");

  @Override
  public String describe() {
    return ALL + " or a list of module names, such as [q_proj, v_proj]";
  }

  @Override
  public Optional<List<String>> read(Node node, String path, Problems problems) {
    if (node instanceof Sequence) {
      return NAMES.read(node, path, problems);
    }
    return node instanceof Scalar s && s.text().equals(ALL)
        ? Optional.of(List.of())
        : mismatch(node, path, problems, "");
  }

  @Override
  public Object plain(List<String> value) {
    return value.isEmpty() ? ALL : value;
  }
}
