package dev.nibble.recipes.recipe;

import dev.nibble.recipes.schema.KeyType;
import dev.nibble.recipes.schema.Problems;
import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Node.Scalar;
import java.util.Locale;
import java.util.Optional;

/** Type of the key for an adapter's initial values: true, false or a name, as PEFT writes it. */
record StartName() implements KeyType<String> {
  private static final String NAMES =
      "true|false|gaussian|orthogonal|pissa|pissa_niter_[0-9]{1,4}|olora|loftq";

  @Override
  public String describe() {
    return "one of true, false, gaussian, orthogonal, pissa, pissa_niter_N (such as pissa_niter_4), olora, loftq";
  }

  @Override
  public Optional<String> read(Node node, String path, Problems problems) {
    if (node instanceof Scalar s) {
      String name = s.kind() == Scalar.Kind.BOOLEAN ? s.text().toLowerCase(Locale.ROOT) : s.text();
      if (name.matches(NAMES)) {
        return Optional.of(name);
      }
    }
    return mismatch(node, path, problems, "");
  }

  @Override
  public Object plain(String value) {
    return switch (value) {
      case "true" -> true;
      case "false" -> false;
      default -> value;
    };
  }
}
