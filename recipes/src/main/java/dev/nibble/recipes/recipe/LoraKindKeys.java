package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.flag;
import static dev.nibble.recipes.schema.KeyTypes.listOf;
import static dev.nibble.recipes.schema.KeyTypes.mapOf;
import static dev.nibble.recipes.schema.KeyTypes.text;
import static dev.nibble.recipes.schema.Numbers.above;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.adapters.AdapterException;
import dev.nibble.adapters.LoraRanks;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.LoraStart;
import dev.nibble.adapters.ModuleChoice;
import dev.nibble.adapters.TargetModules;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyValues;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Keys of the variants of low-rank adapters. An adapter that is continued has its own. */
final class LoraKindKeys {
  private LoraKindKeys() {}

  static final Key<Recipe, Boolean> RSLORA =
      Key.when(
          "peft_use_rslora",
          flag(),
          value(false),
          spec(k -> Optional.of(k.ranks().rslora())),
          "Scale by `lora_alpha / sqrt(lora_r)` (rsLoRA).");

  static final Key<Recipe, Boolean> DORA =
      Key.when(
          "peft_use_dora",
          flag(),
          value(false),
          spec(k -> Optional.of(k.dora())),
          "Use DoRA: train magnitude and direction of the weights separately.");

  static final Key<Recipe, Boolean> BIAS =
      Key.when(
          "lora_bias",
          flag(),
          value(false),
          spec(k -> Optional.of(k.bias())),
          "Give the adapter's second matrix (B) a bias.");

  static final Key<Recipe, Map<String, Integer>> RANK_PATTERN =
      Key.when(
          "lora_rank_pattern",
          mapOf(wholeNumber(1), "module names or regular expressions with a rank each"),
          otherwise("`lora_r` everywhere"),
          spec(k -> some(k.ranks().rankPattern())),
          "Other ranks for some modules, such as `{down_proj: 32}`: the first name or expression that matches the end of a"
              + " module's path applies.");

  static final Key<Recipe, Map<String, Double>> ALPHA_PATTERN =
      Key.when(
          "lora_alpha_pattern",
          mapOf(above(0), "module names or regular expressions with a number each"),
          otherwise("`lora_alpha` everywhere"),
          spec(k -> some(k.ranks().alphaPattern())),
          "Other values of `lora_alpha` for some modules, in the same form.");

  static final Key<Recipe, ModuleChoice> EXCLUDE =
      Key.when(
          "lora_exclude_modules",
          new ModuleNames(false),
          otherwise("none"),
          spec(k -> k.targets().excluded()),
          "Modules of `lora_target_modules` that get no adapter.");

  static final Key<Recipe, List<String>> MODULES_TO_SAVE =
      Key.when(
          "lora_modules_to_save",
          listOf(text(), "module names"),
          otherwise("none"),
          spec(k -> Optional.of(k.modulesToSave()).filter(m -> !m.isEmpty())),
          "Modules whose own weights are trained and saved with the adapter, such as `[embed_tokens, lm_head]`: all whose"
              + " path ends with such a name.");

  static final Key<Recipe, LoraStart> INIT =
      Key.when(
          "peft_init_lora_weights",
          new StartName(),
          value(new LoraStart.Zero()),
          spec(k -> Optional.of(k.start())),
          "Initial values of the adapter. `true`: no change; `gaussian`, `orthogonal`: the same from other random numbers;"
              + " `false`: noise. `pissa`, `pissa_niter_N`, `olora` move part of the base weights into the adapter, and `loftq`"
              + " what quantising them loses; such an adapter is saved as plain LoRA of twice the rank for the base in"
              + " full precision. `caldera`: the leading part of the low-rank product of a base in CALDERA, saved likewise"
              + " for that base.");

  static final Key<Recipe, Integer> LOFTQ_ITER =
      Key.when(
          "loftq_iter",
          wholeNumber(1),
          value(1),
          spec(k ->
              k.start() instanceof LoraStart.Loftq(int iterations)
                  ? Optional.of(iterations)
                  : Optional.empty()),
          "Iterations of `loftq`; the one that loses least is kept.");

  static final List<Key<Recipe, ?>> KEYS =
      List.of(
          RSLORA,
          DORA,
          BIAS,
          RANK_PATTERN,
          ALPHA_PATTERN,
          EXCLUDE,
          AdapterKeys.LAYERS,
          AdapterKeys.LAYERS_PATTERN,
          MODULES_TO_SAVE,
          INIT,
          LOFTQ_ITER);

  private static <T> Function<Recipe, Optional<T>> spec(Function<LoraSpec, Optional<T>> part) {
    return AdapterKeys.described(LoraSpec.class, part);
  }

  private static <T> Optional<Map<String, T>> some(Map<String, T> map) {
    return map.isEmpty() ? Optional.empty() : Optional.of(map);
  }

  static void check(KeyValues<Recipe> v) {
    if (!AdapterKeys.describes(v, LoraKeys.METHOD)) {
      return;
    }
    boolean loftq = v.find(INIT).filter(LoraStart.Loftq.class::isInstance).isPresent();
    if (!loftq) {
      v.refuse("only used with peft_init_lora_weights: loftq; remove it", LOFTQ_ITER);
    }
    if (loftq && v.is(ModelKeys.ADAPTER, Recipe.Adapter.LORA)) {
      v.problem(INIT, "loftq makes up for what quantisation loses; write adapter: qlora");
    }
    List<Key<Recipe, ?>> needed =
        List.of(
            LoraKeys.RANK,
            LoraKeys.DROPOUT,
            LoraKeys.TARGETS,
            RSLORA,
            DORA,
            BIAS,
            INIT,
            LOFTQ_ITER);
    if (needed.stream().allMatch(key -> v.find(key).isPresent())) {
      checkSpec(v);
    }
  }

  /** Reports what does not go together at the key that makes the difference. */
  private static void checkSpec(KeyValues<Recipe> v) {
    Key<Recipe, ?> at = v.given(RANK_PATTERN) ? RANK_PATTERN : ALPHA_PATTERN;
    try {
      ranks(v);
      at = AdapterKeys.LAYERS;
      targets(v);
      at = v.is(BIAS, true) ? BIAS : INIT;
      spec(v);
    } catch (AdapterException e) {
      v.problem(at, e.problem());
    }
  }

  private static LoraRanks ranks(KeyValues<Recipe> v) {
    int r = v.get(LoraKeys.RANK);
    return new LoraRanks(
        r,
        v.find(LoraKeys.ALPHA).orElse(2.0 * r),
        v.get(RSLORA),
        v.find(RANK_PATTERN).orElse(Map.of()),
        v.find(ALPHA_PATTERN).orElse(Map.of()));
  }

  private static TargetModules targets(KeyValues<Recipe> v) {
    return new TargetModules(v.get(LoraKeys.TARGETS), v.find(EXCLUDE), AdapterKeys.layers(v));
  }

  /**
   * The adapter that the keys describe.
   *
   * @throws AdapterException when they do not go together
   */
  static LoraSpec spec(KeyValues<Recipe> v) {
    LoraStart start =
        v.get(INIT) instanceof LoraStart.Loftq
            ? new LoraStart.Loftq(v.get(LOFTQ_ITER))
            : v.get(INIT);
    return new LoraSpec(
        ranks(v),
        v.get(LoraKeys.DROPOUT),
        targets(v),
        v.find(MODULES_TO_SAVE).orElse(List.of()),
        v.get(DORA),
        v.get(BIAS),
        start);
  }
}
