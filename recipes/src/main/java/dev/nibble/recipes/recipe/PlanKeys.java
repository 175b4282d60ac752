package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.KeyTypes.inputPath;

import dev.nibble.compute.safetensors.MalformedSafetensors;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import dev.nibble.recipes.recipe.Recipe.Adapter;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyValues;
import dev.nibble.trainer.model.ModelException;
import dev.nibble.trainer.model.build.ModelLoader;
import dev.nibble.trainer.plan.FormatPlan;
import dev.nibble.trainer.plan.PlanException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The key of a base whose matrices have formats of their own. */
final class PlanKeys {
  private PlanKeys() {}

  static final Key<Recipe, Path> PLAN =
      Key.when(
          "quantization_plan",
          inputPath(),
          otherwise("one format for all matrices"),
          r -> r.model().plan(),
          "Keep each matrix of the base in the format that a file gives it, which `nibble plan` writes for a budget of bytes or"
              + " bits. The file belongs to this base's weights. With `adapter: qlora` it takes the place of the four bits that the"
              + " `bnb_` keys describe, and the adapter is as with `lora`.");

  static void check(KeyValues<Recipe> v) {
    Optional<Path> plan = v.find(PLAN);
    Optional<Path> base = v.find(ModelKeys.BASE_MODEL);
    if (plan.isEmpty()) {
      return;
    }
    if (v.is(ModelKeys.ADAPTER, Adapter.NONE)) {
      v.problem(
          PLAN,
          "adapter: none trains every weight, which a quantised base cannot; write adapter: lora, or remove the key");
    }
    List<Key<Recipe, Boolean>> others =
        v.is(ModelKeys.ADAPTER, Adapter.QLORA)
            ? List.of(WeightFormatKeys.LOAD_IN_8BIT)
            : List.of(WeightFormatKeys.LOAD_IN_4BIT, WeightFormatKeys.LOAD_IN_8BIT);
    for (Key<Recipe, Boolean> other : others) {
      if (v.is(other, true)) {
        v.problem(PLAN, other.name() + " is true, too; remove one of them");
      }
    }
    v.refuse("quantization_plan is given, too; remove one of them", HqqKeys.BITS);
    base.ifPresent(folder -> checkFor(v, folder, plan.get()));
  }

  private static void checkFor(KeyValues<Recipe> v, Path base, Path plan) {
    if (!Files.isDirectory(base)) {
      v.problem(
          ModelKeys.BASE_MODEL,
          "%s: there is no such folder; expected that of a model".formatted(base));
      return;
    }
    try {
      if (ModelLoader.storedFormat(base).isEmpty()) { // else the key is refused
        FormatPlan.formatFor(base, plan);
      }
    } catch (PlanException e) {
      v.problem(PLAN, String.valueOf(e.getMessage()));
    } catch (ModelException | UnusableWeight | MalformedSafetensors e) {
      v.problem(ModelKeys.BASE_MODEL, String.valueOf(e.getMessage()));
    }
  }

  /** What the file says, which {@link #check} has held against the base. */
  static Optional<WeightFormat> asked(KeyValues<Recipe> v) {
    return v.find(PLAN).map(FormatPlan::formatOf);
  }
}
