package dev.nibble.recipes.recipe;

import dev.nibble.adapters.AdapterException;
import dev.nibble.adapters.ModuleChoice;
import dev.nibble.recipes.schema.KeyType;
import dev.nibble.recipes.schema.KeyTypes;
import dev.nibble.recipes.schema.Problems;
import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Node.Scalar;
import dev.nibble.recipes.yaml.Node.Sequence;
import java.util.List;
import java.util.Optional;

/**
 * Type of keys that select modules, by names or by a regular expression.
 *
 * @param takesAll whether {@code all-linear} stands for every linear layer
 */
record ModuleNames(boolean takesAll) implements KeyType<ModuleChoice> {
  private static final String ALL = "all-linear";
  private static final KeyType<List<String>> NAMES = KeyTypes.listOf(KeyTypes.text(), "names");

  @Override
  public String describe() {
    return (takesAll ? ALL + ", a" : "a")
        + " list of module names, such as [q_proj, v_proj], or a regular expression";
  }

  @Override
  public Optional<ModuleChoice> read(Node node, String path, Problems problems) {
    if (node instanceof Sequence) {
      return NAMES.read(node, path, problems).map(ModuleChoice.Named::new);
    }
    if (!(node instanceof Scalar s) || s.kind() != Scalar.Kind.TEXT) {
      return mismatch(node, path, problems, "");
    }
    String text = s.text();
    if (text.equals(ALL)) {
      return takesAll
          ? Optional.of(new ModuleChoice.AllLinear())
          : mismatch(node, path, problems, "");
    }
    if (text.matches("[\\w.-]+")) {
      return mismatch(node, path, problems, "; write a single name as [" + text + "]");
    }
    try {
      return Optional.of(new ModuleChoice.Matching(text));
    } catch (AdapterException e) {
      return mismatch(node, path, problems, "; " + e.problem());
    }
  }

  @Override
  public Object plain(ModuleChoice value) {
    return switch (value) {
      case ModuleChoice.AllLinear _ -> ALL;
      case ModuleChoice.Named(List<String> names) -> names;
      case ModuleChoice.Matching(String regex) -> regex;
      case ModuleChoice.ModelDefault _ ->
          throw new IllegalArgumentException("recipes always choose their modules");
    };
  }
}
