package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.Numbers.above;
import static dev.nibble.recipes.schema.Numbers.fromToBelow;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.ModuleChoice;
import dev.nibble.recipes.recipe.AdapterKeys.Method;
import dev.nibble.recipes.recipe.Recipe.Adapter;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.Schema.Group;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Keys of a LoRA adapter. */
final class LoraKeys {
  /** Message for a key of an adapter when every weight is trained. */
  static final String UNUSED = "not used with adapter: none; remove it, or write adapter: qlora";

  private LoraKeys() {}

  static final Key<Recipe, Integer> RANK =
      Key.when(
          "lora_r",
          wholeNumber(1),
          value(16),
          described(spec -> spec.ranks().r()),
          "Rank r of the adapter's matrices.");

  static final Key<Recipe, Double> ALPHA =
      Key.when(
          "lora_alpha",
          above(0),
          otherwise("2 × `lora_r`"),
          described(spec -> spec.ranks().alpha()),
          "The adapter's output is scaled by `lora_alpha / lora_r`.");

  static final Key<Recipe, Double> DROPOUT =
      Key.when(
          "lora_dropout",
          fromToBelow(0, 1),
          value(0.0),
          described(LoraSpec::dropout),
          "Dropout on the adapter's input in training.");

  static final Key<Recipe, ModuleChoice> TARGETS =
      Key.when(
          "lora_target_modules",
          new ModuleNames(true),
          value(new ModuleChoice.AllLinear()),
          described(spec -> spec.targets().chosen()),
          "Which modules get an adapter: `all-linear` (all linear layers but the output layer), a list of names such as"
              + " `[q_proj, v_proj]`, which may hold `embed_tokens` and `lm_head`, or a regular expression for whole"
              + " paths such as `model.layers.0.self_attn.q_proj`.");

  private static final List<Key<Recipe, ?>> KEYS = keys();

  static final Method METHOD =
      new Method(
          Set.of(Adapter.QLORA, Adapter.LORA),
          KEYS,
          "a key of LoRA, only used with adapter: lora or qlora; remove it, or write adapter: qlora",
          LoraKindKeys::spec);

  static final RecipeKeys.Part PART =
      new RecipeKeys.Part(
          new Group<>("Adapter", withModelDir()), List.of(AdapterKeys::check, LoraKindKeys::check));

  private static List<Key<Recipe, ?>> keys() {
    List<Key<Recipe, ?>> keys = new ArrayList<>(List.of(RANK, ALPHA, DROPOUT, TARGETS));
    keys.addAll(LoraKindKeys.KEYS);
    return List.copyOf(keys);
  }

  private static List<Key<Recipe, ?>> withModelDir() {
    List<Key<Recipe, ?>> keys = new ArrayList<>(KEYS);
    keys.add(AdapterKeys.MODEL_DIR);
    return List.copyOf(keys);
  }

  private static <T> Function<Recipe, Optional<T>> described(Function<LoraSpec, T> part) {
    return AdapterKeys.described(LoraSpec.class, spec -> Optional.of(part.apply(spec)));
  }
}
