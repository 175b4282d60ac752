package dev.nibble.api.runs;

import dev.nibble.adapters.LoraRanks;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.LoraStart;
import dev.nibble.adapters.ModuleChoice;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.adapters.TargetModules;
import dev.nibble.recipes.recipe.Recipe.Lora;
import dev.nibble.recipes.recipe.Recipe.LoraKind;
import dev.nibble.recipes.recipe.Recipe.Modules;
import java.util.Optional;

/** What a recipe says of an adapter, as the adapter's own values. */
final class LoraWiring {
  private LoraWiring() {}

  /** The shape that the recipe describes, or that of the adapter that it continues. */
  static LoraSpec spec(Lora lora) {
    return switch (lora) {
      case Lora.New described -> spec(described);
      case Lora.Continued earlier -> PeftAdapter.open(earlier.folder()).spec();
    };
  }

  private static LoraSpec spec(Lora.New lora) {
    LoraKind kind = lora.kind();
    Optional<TargetModules.Layers> layers =
        kind.layers().isEmpty()
            ? Optional.empty()
            : Optional.of(new TargetModules.Layers(kind.layers(), kind.layersPattern()));
    return new LoraSpec(
        new LoraRanks(
            lora.rank(), lora.alpha(), kind.rslora(), kind.rankPattern(), kind.alphaPattern()),
        lora.dropout(),
        new TargetModules(choice(lora.targets()), kind.excluded().map(LoraWiring::choice), layers),
        kind.wholeModules(),
        kind.dora(),
        kind.bias(),
        LoraStart.named(kind.start(), kind.loftqIterations()).orElseThrow());
  }

  private static ModuleChoice choice(Modules modules) {
    if (modules.isAll()) {
      return new ModuleChoice.AllLinear();
    }
    return modules
        .expression()
        .<ModuleChoice>map(ModuleChoice.Matching::new)
        .orElseGet(() -> new ModuleChoice.Named(modules.names()));
  }
}
