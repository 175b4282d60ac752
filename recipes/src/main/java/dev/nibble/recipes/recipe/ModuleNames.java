package dev.nibble.recipes.recipe;

import dev.nibble.recipes.recipe.Recipe.Modules;
import dev.nibble.recipes.schema.KeyType;
import dev.nibble.recipes.schema.KeyTypes;
import dev.nibble.recipes.schema.Problems;
import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Node.Scalar;
import dev.nibble.recipes.yaml.Node.Sequence;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Type of keys that select modules, by names or by a regular expression.
 *
 * @param takesAll whether {@code all-linear} stands for every linear layer
 */
record ModuleNames(boolean takesAll) implements KeyType<Modules> {
  private static final KeyType<List<String>> NAMES = KeyTypes.listOf(KeyTypes.text(), "names");

  @Override
  public String describe() {
    return (takesAll ? Modules.ALL + ", a" : "a")
        + " list of module names, such as [q_proj, v_proj], or a regular expression";
  }

  @Override
  public Optional<Modules> read(Node node, String path, Problems problems) {
    if (node instanceof Sequence) {
      return NAMES.read(node, path, problems).map(names -> new Modules(Optional.empty(), names));
    }
    if (!(node instanceof Scalar s) || s.kind() != Scalar.Kind.TEXT) {
      return mismatch(node, path, problems, "");
    }
    String text = s.text();
    if (text.equals(Modules.ALL)) {
      return takesAll
          ? Optional.of(new Modules(Optional.of(text), List.of()))
          : mismatch(node, path, problems, "");
    }
    if (text.matches("[\\w.-]+")) {
      return mismatch(node, path, problems, "; write a single name as [" + text + "]");
    }
    try {
      Pattern.compile(text.replace("(?P<", "(?<"));
    } catch (PatternSyntaxException e) {
      return mismatch(node, path, problems, ", which is none: " + e.getDescription());
    }
    return Optional.of(new Modules(Optional.of(text), List.of()));
  }

  @Override
  public Object plain(Modules value) {
    return value.expression().<Object>map(e -> e).orElse(value.names());
  }
}
