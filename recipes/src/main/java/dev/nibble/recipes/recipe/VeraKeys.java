package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.listOf;
import static dev.nibble.recipes.schema.KeyTypes.text;
import static dev.nibble.recipes.schema.Numbers.above;
import static dev.nibble.recipes.schema.Numbers.fromToBelow;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.adapters.AdapterException;
import dev.nibble.adapters.ModuleChoice;
import dev.nibble.adapters.TargetModules;
import dev.nibble.adapters.VeraSpec;
import dev.nibble.recipes.recipe.AdapterKeys.Method;
import dev.nibble.recipes.recipe.Recipe.Adapter;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyValues;
import dev.nibble.recipes.schema.Schema.Group;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Keys of a VeRA adapter. */
final class VeraKeys {
  private VeraKeys() {}

  static final Key<Recipe, Integer> RANK =
      Key.when(
          "vera_r",
          wholeNumber(1),
          value(256),
          spec(s -> Optional.of(s.rank())),
          "Rank r of the two random matrices, which all modules share and which do not train.");

  static final Key<Recipe, Double> INITIAL =
      Key.when(
          "vera_d_initial",
          above(0),
          value(0.1),
          spec(s -> Optional.of(s.initial())),
          "Initial value of the vectors between the matrices; those behind them start as 0.");

  static final Key<Recipe, Double> DROPOUT =
      Key.when(
          "vera_dropout",
          fromToBelow(0, 1),
          value(0.0),
          spec(s -> Optional.of(s.dropout())),
          "Dropout on the adapter's input in training.");

  static final Key<Recipe, Integer> PROJECTION_KEY =
      Key.when(
          "vera_projection_prng_key",
          wholeNumber(0),
          value(0),
          spec(s -> Optional.of((int) s.projectionKey())),
          "Seed of the random matrices: PEFT draws the same ones from it.");

  static final Key<Recipe, ModuleChoice> TARGETS =
      Key.when(
          "vera_target_modules",
          new ModuleNames(true),
          value(new ModuleChoice.AllLinear()),
          spec(s -> Optional.of(s.targets().chosen())),
          "Which linear layers get an adapter: as in `lora_target_modules`, without `embed_tokens`.");

  static final Key<Recipe, List<String>> MODULES_TO_SAVE =
      Key.when(
          "vera_modules_to_save",
          listOf(text(), "module names"),
          otherwise("none"),
          spec(s -> Optional.of(s.modulesToSave()).filter(names -> !names.isEmpty())),
          "Modules whose own weights are trained, as with `lora_modules_to_save`.");

  private static final List<Key<Recipe, ?>> KEYS =
      List.of(RANK, INITIAL, DROPOUT, PROJECTION_KEY, TARGETS, MODULES_TO_SAVE);

  static final Method METHOD =
      new Method(
          Set.of(Adapter.VERA),
          withLayers(),
          "only used with adapter: vera; remove it",
          VeraKeys::spec);

  static final RecipeKeys.Part PART =
      new RecipeKeys.Part(new Group<>("VeRA", KEYS), List.of(VeraKeys::check));

  private static List<Key<Recipe, ?>> withLayers() {
    List<Key<Recipe, ?>> keys = new ArrayList<>(KEYS);
    keys.add(AdapterKeys.LAYERS);
    keys.add(AdapterKeys.LAYERS_PATTERN);
    return List.copyOf(keys);
  }

  private static <T> Function<Recipe, Optional<T>> spec(Function<VeraSpec, Optional<T>> part) {
    return AdapterKeys.described(VeraSpec.class, part);
  }

  private static void check(KeyValues<Recipe> v) {
    boolean known =
        KEYS.stream().allMatch(key -> key.equals(MODULES_TO_SAVE) || v.find(key).isPresent());
    if (known && AdapterKeys.describes(v, METHOD)) {
      try {
        spec(v);
      } catch (AdapterException e) {
        v.problem(v.given(AdapterKeys.LAYERS) ? AdapterKeys.LAYERS : TARGETS, e.problem());
      }
    }
  }

  private static VeraSpec spec(KeyValues<Recipe> v) {
    return new VeraSpec(
        v.get(RANK),
        v.get(DROPOUT),
        v.get(INITIAL),
        v.get(PROJECTION_KEY),
        true,
        new TargetModules(v.get(TARGETS), Optional.empty(), AdapterKeys.layers(v)),
        v.find(MODULES_TO_SAVE).orElse(List.of()));
  }
}
