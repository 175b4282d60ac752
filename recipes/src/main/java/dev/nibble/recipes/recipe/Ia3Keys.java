package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.listOf;
import static dev.nibble.recipes.schema.KeyTypes.text;

import dev.nibble.adapters.AdapterException;
import dev.nibble.adapters.Ia3Spec;
import dev.nibble.adapters.ModuleChoice;
import dev.nibble.adapters.TargetModules;
import dev.nibble.recipes.recipe.AdapterKeys.Method;
import dev.nibble.recipes.recipe.Recipe.Adapter;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyValues;
import dev.nibble.recipes.schema.Schema.Group;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Keys of an IA3 adapter. */
final class Ia3Keys {
  private Ia3Keys() {}

  static final Key<Recipe, ModuleChoice> TARGETS =
      Key.when(
          "ia3_target_modules",
          new ModuleNames(true),
          value(new ModuleChoice.Named(List.of("k_proj", "v_proj", "down_proj"))),
          spec(s -> Optional.of(s.targets().chosen())),
          "Which linear layers get an IA3 vector, which scales their outputs: as in `lora_target_modules`, without"
              + " `embed_tokens`.");

  static final Key<Recipe, ModuleChoice> FEEDFORWARD =
      Key.when(
          "ia3_feedforward_modules",
          new ModuleNames(false),
          value(Ia3Spec.DEFAULT_FEEDFORWARD),
          spec(Ia3Spec::feedforward),
          "Those of the targets whose inputs are scaled instead: names or a regular expression.");

  static final Key<Recipe, ModuleChoice> EXCLUDE =
      Key.when(
          "ia3_exclude_modules",
          new ModuleNames(false),
          otherwise("none"),
          spec(s -> s.targets().excluded()),
          "Modules of `ia3_target_modules` that get no vector.");

  static final Key<Recipe, List<String>> MODULES_TO_SAVE =
      Key.when(
          "ia3_modules_to_save",
          listOf(text(), "module names"),
          otherwise("none"),
          spec(s -> Optional.of(s.modulesToSave()).filter(names -> !names.isEmpty())),
          "Modules whose own weights are trained, as with `lora_modules_to_save`.");

  private static final List<Key<Recipe, ?>> KEYS =
      List.of(TARGETS, FEEDFORWARD, EXCLUDE, MODULES_TO_SAVE);

  static final Method METHOD =
      new Method(
          Set.of(Adapter.IA3), KEYS, "only used with adapter: ia3; remove it", Ia3Keys::spec);

  static final RecipeKeys.Part PART =
      new RecipeKeys.Part(new Group<>("IA3", KEYS), List.of(Ia3Keys::check));

  private static <T> Function<Recipe, Optional<T>> spec(Function<Ia3Spec, Optional<T>> part) {
    return AdapterKeys.described(Ia3Spec.class, part);
  }

  private static void check(KeyValues<Recipe> v) {
    boolean known = v.find(TARGETS).isPresent() && v.find(FEEDFORWARD).isPresent();
    if (known && AdapterKeys.describes(v, METHOD)) {
      try {
        spec(v);
      } catch (AdapterException e) {
        v.problem(FEEDFORWARD, e.problem());
      }
    }
  }

  private static Ia3Spec spec(KeyValues<Recipe> v) {
    return new Ia3Spec(
        new TargetModules(v.get(TARGETS), v.find(EXCLUDE), Optional.empty()),
        Optional.of(v.get(FEEDFORWARD)),
        v.find(MODULES_TO_SAVE).orElse(List.of()));
  }
}
