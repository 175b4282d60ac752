package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.KeyTypes.inputPath;
import static dev.nibble.recipes.schema.KeyTypes.listOf;
import static dev.nibble.recipes.schema.KeyTypes.text;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.adapters.TargetModules.Layers;
import dev.nibble.recipes.recipe.Recipe.Adapter;
import dev.nibble.recipes.recipe.Recipe.AdapterSource;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyValues;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Keys of any method's adapter, and the choice between methods. */
final class AdapterKeys {
  private static final String CONTINUED =
      "is set by the adapter in lora_model_dir; remove this line";

  /**
   * A method of adapting.
   *
   * @param names values of {@code adapter} that choose it
   * @param keys that describe its adapter
   * @param unused what is wrong with its keys when another method is chosen
   * @param spec the adapter that its keys describe
   */
  record Method(
      Set<Adapter> names,
      List<Key<Recipe, ?>> keys,
      String unused,
      Function<KeyValues<Recipe>, AdapterSpec> spec) {}

  private AdapterKeys() {}

  static final Key<Recipe, List<Integer>> LAYERS =
      Key.when(
          "peft_layers_to_transform",
          listOf(wholeNumber(0), "layer numbers"),
          otherwise("all"),
          described(AdapterSpec.class, spec -> spec.targets().layers().map(Layers::indices)),
          "Numbers of the layers that get an adapter, counted from 0.");

  static final Key<Recipe, List<String>> LAYERS_PATTERN =
      Key.when(
          "peft_layers_pattern",
          listOf(text(), "names"),
          otherwise("the first number in a module's path"),
          described(
              AdapterSpec.class,
              spec -> spec.targets().layers().map(Layers::patterns).filter(p -> !p.isEmpty())),
          "Names before the layer number in module paths, such as `[layers]`.");

  static final Key<Recipe, Path> MODEL_DIR =
      Key.when(
          "lora_model_dir",
          inputPath(),
          otherwise("a new adapter"),
          r -> r.model().adapterSource().flatMap(AdapterSource::continueFrom),
          "Folder of an adapter in PEFT's layout to continue from: rank, targets and the rest are its own. The optimizer"
              + " starts from zero; to continue an interrupted run, use `nibble train --resume`.");

  /** A part of the adapter that a recipe describes, where its method is the one asked for. */
  static <S extends AdapterSpec, T> Function<Recipe, Optional<T>> described(
      Class<S> method, Function<S, Optional<T>> part) {
    return r ->
        r.model()
            .adapterSource()
            .flatMap(AdapterSource::described)
            .filter(method::isInstance)
            .map(method::cast)
            .flatMap(part);
  }

  /** The layers that an adapter is limited to. */
  static Optional<Layers> layers(KeyValues<Recipe> v) {
    return v.find(LAYERS)
        .map(layers -> new Layers(layers, v.find(LAYERS_PATTERN).orElse(List.of())));
  }

  /** Whether an adapter of a method is described by the recipe's keys. */
  static boolean describes(KeyValues<Recipe> v, Method method) {
    return !v.given(MODEL_DIR)
        && v.find(ModelKeys.ADAPTER).filter(method.names()::contains).isPresent();
  }

  static void check(KeyValues<Recipe> v) {
    Optional<Adapter> adapter = v.find(ModelKeys.ADAPTER);
    if (adapter.isEmpty()) {
      return;
    }
    List<Key<Recipe, ?>> own = method(adapter.get()).map(Method::keys).orElseGet(List::of);
    boolean none = adapter.get() == Adapter.NONE;
    Set<Key<Recipe, ?>> seen = new HashSet<>(own);
    for (Method other : methods()) {
      String unused = none && other.equals(LoraKeys.METHOD) ? LoraKeys.UNUSED : other.unused();
      other.keys().stream().filter(seen::add).forEach(key -> v.refuse(unused, key));
    }
    if (none) {
      v.refuse(LoraKeys.UNUSED, MODEL_DIR);
    } else if (v.given(MODEL_DIR)) {
      own.forEach(key -> v.refuse(CONTINUED, key));
    }
    if (v.given(LAYERS_PATTERN) && !v.given(LAYERS)) {
      v.problem(LAYERS_PATTERN, "only used with peft_layers_to_transform; remove it");
    }
  }

  /** A method in place of a constant: the keys of methods and of this class need each other. */
  private static List<Method> methods() {
    return List.of(LoraKeys.METHOD, Ia3Keys.METHOD, VeraKeys.METHOD);
  }

  private static Optional<Method> method(Adapter adapter) {
    return methods().stream().filter(m -> m.names().contains(adapter)).findFirst();
  }

  static Optional<AdapterSource> build(KeyValues<Recipe> v) {
    return method(v.get(ModelKeys.ADAPTER))
        .map(method ->
            v.find(MODEL_DIR)
                .<AdapterSource>map(AdapterSource.Continued::new)
                .orElseGet(() -> new AdapterSource.New(method.spec().apply(v))));
  }
}
