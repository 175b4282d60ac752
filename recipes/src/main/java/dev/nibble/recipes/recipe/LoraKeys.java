package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.inputPath;
import static dev.nibble.recipes.schema.Numbers.above;
import static dev.nibble.recipes.schema.Numbers.fromToBelow;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.recipes.recipe.Recipe.Adapter;
import dev.nibble.recipes.recipe.Recipe.Lora;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.Schema.Group;
import dev.nibble.recipes.schema.Values;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Keys of the adapter. */
final class LoraKeys {
  private LoraKeys() {}

  static final Key<Recipe, Integer> RANK =
      Key.when(
          "lora_r",
          wholeNumber(1),
          value(16),
          r -> r.model().lora().map(Lora::rank),
          "Rank r of the adapter's matrices.");

  static final Key<Recipe, Double> ALPHA =
      Key.when(
          "lora_alpha",
          above(0),
          otherwise("2 × `lora_r`"),
          r -> r.model().lora().map(Lora::alpha),
          "The adapter's output is scaled by `lora_alpha / lora_r`.");

  static final Key<Recipe, Double> DROPOUT =
      Key.when(
          "lora_dropout",
          fromToBelow(0, 1),
          value(0.0),
          r -> r.model().lora().map(Lora::dropout),
          "Dropout on the adapter's input during training.");

  static final Key<Recipe, List<String>> TARGETS =
      Key.when(
          "lora_target_modules",
          new LoraTargets(),
          value(List.of()),
          r -> r.model().lora().map(Lora::targets),
          "Which linear layers get an adapter: `all-linear` (all but the output layer), or a list of module names such"
              + " as `[q_proj, v_proj]`.");

  static final Key<Recipe, Path> MODEL_DIR =
      Key.when(
          "lora_model_dir",
          inputPath(),
          otherwise("a new adapter"),
          r -> r.model().lora().flatMap(Lora::continueFrom),
          "Folder of an adapter in PEFT's layout to continue from. The optimizer starts anew; to go on with an"
              + " interrupted run use `nibble train --resume`.");

  static final RecipeKeys.Part PART =
      new RecipeKeys.Part(
          new Group<>("Adapter", List.of(RANK, ALPHA, DROPOUT, TARGETS, MODEL_DIR)),
          List.of(LoraKeys::checkAdapter));

  private static void checkAdapter(Values<Recipe> v) {
    if (v.is(ModelKeys.ADAPTER, Adapter.NONE)) {
      v.refuse(
          "not used with adapter: none; remove it, or write adapter: qlora",
          RANK,
          ALPHA,
          DROPOUT,
          TARGETS,
          MODEL_DIR);
    }
  }

  static Optional<Lora> build(Values<Recipe> v) {
    if (v.is(ModelKeys.ADAPTER, Adapter.NONE)) {
      return Optional.empty();
    }
    return Optional.of(
        new Lora(
            v.get(RANK),
            v.find(ALPHA).orElse(2.0 * v.get(RANK)),
            v.get(DROPOUT),
            v.get(TARGETS),
            v.find(MODEL_DIR)));
  }
}
