package dev.nibble.recipes.recipe;

import dev.nibble.adapters.LoraStart;
import dev.nibble.recipes.schema.KeyType;
import dev.nibble.recipes.schema.Problems;
import dev.nibble.recipes.yaml.Node;
import dev.nibble.recipes.yaml.Node.Scalar;
import java.util.Locale;
import java.util.Optional;

/** Type of the key for an adapter's initial values: true, false or a name, as PEFT writes it. */
record StartName() implements KeyType<LoraStart> {
  /** Iterations of LoftQ, which have a key of their own. */
  private static final int ONE = 1;

  @Override
  public String describe() {
    return "one of " + LoraStart.NAMES;
  }

  @Override
  public Optional<LoraStart> read(Node node, String path, Problems problems) {
    if (node instanceof Scalar s) {
      String name = s.kind() == Scalar.Kind.BOOLEAN ? s.text().toLowerCase(Locale.ROOT) : s.text();
      Optional<LoraStart> start = LoraStart.named(name, ONE);
      if (start.isPresent()) {
        return start;
      }
    }
    return mismatch(node, path, problems, "");
  }

  @Override
  public Object plain(LoraStart value) {
    return switch (value) {
      case LoraStart.Zero _ -> true;
      case LoraStart.Noise _ -> false;
      default -> value.written();
    };
  }
}
