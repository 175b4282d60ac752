package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.flag;
import static dev.nibble.recipes.schema.KeyTypes.listOf;
import static dev.nibble.recipes.schema.KeyTypes.mapOf;
import static dev.nibble.recipes.schema.KeyTypes.text;
import static dev.nibble.recipes.schema.Numbers.above;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.recipes.recipe.Recipe.Lora;
import dev.nibble.recipes.recipe.Recipe.LoraKind;
import dev.nibble.recipes.recipe.Recipe.Modules;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.Values;
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
          kind(k -> Optional.of(k.rslora())),
          "Scale by `lora_alpha / sqrt(lora_r)` (rsLoRA).");

  static final Key<Recipe, Boolean> DORA =
      Key.when(
          "peft_use_dora",
          flag(),
          value(false),
          kind(k -> Optional.of(k.dora())),
          "Train the length of each output's weights apart from their direction (DoRA).");

  static final Key<Recipe, Boolean> BIAS =
      Key.when(
          "lora_bias",
          flag(),
          value(false),
          kind(k -> Optional.of(k.bias())),
          "Give the adapter's second matrix a bias.");

  static final Key<Recipe, Map<String, Integer>> RANK_PATTERN =
      Key.when(
          "lora_rank_pattern",
          mapOf(wholeNumber(1), "module names or regular expressions with a rank each"),
          otherwise("`lora_r` everywhere"),
          kind(k -> some(k.rankPattern())),
          "Ranks of some modules, such as `{down_proj: 32}`: the first name or expression that matches the end of a"
              + " module's path counts.");

  static final Key<Recipe, Map<String, Double>> ALPHA_PATTERN =
      Key.when(
          "lora_alpha_pattern",
          mapOf(above(0), "module names or regular expressions with a number each"),
          otherwise("`lora_alpha` everywhere"),
          kind(k -> some(k.alphaPattern())),
          "The same for `lora_alpha`.");

  static final Key<Recipe, Modules> EXCLUDE =
      Key.when(
          "lora_exclude_modules",
          new ModuleNames(false),
          otherwise("none"),
          kind(LoraKind::excluded),
          "Modules that get no adapter, though `lora_target_modules` names them.");

  static final Key<Recipe, List<Integer>> LAYERS =
      Key.when(
          "peft_layers_to_transform",
          listOf(wholeNumber(0), "layer numbers"),
          otherwise("all"),
          kind(k -> some(k.layers())),
          "Layers that get an adapter, counted from 0.");

  static final Key<Recipe, List<String>> LAYERS_PATTERN =
      Key.when(
          "peft_layers_pattern",
          listOf(text(), "names"),
          otherwise("the first number in a module's path"),
          kind(k -> some(k.layersPattern())),
          "What the number of a layer stands behind in a module's path, such as `[layers]`.");

  static final Key<Recipe, List<String>> MODULES_TO_SAVE =
      Key.when(
          "lora_modules_to_save",
          listOf(text(), "module names"),
          otherwise("none"),
          kind(k -> some(k.wholeModules())),
          "Modules that train as a whole and are saved with the adapter, such as `[embed_tokens, lm_head]`: all whose"
              + " path ends with such a name.");

  static final Key<Recipe, String> INIT =
      Key.when(
          "peft_init_lora_weights",
          new StartName(),
          value("true"),
          kind(k -> Optional.of(k.start())),
          "What the adapter starts as. `true`: no change; `gaussian`, `orthogonal`: the same from other random numbers;"
              + " `false`: noise. `pissa`, `pissa_niter_N`, `olora` take part of the base's weights over, and `loftq`"
              + " what quantising them loses; such an adapter is saved as plain LoRA of twice the rank for the base in"
              + " full precision.");

  static final Key<Recipe, Integer> LOFTQ_ITER =
      Key.when(
          "loftq_iter",
          wholeNumber(1),
          value(1),
          kind(k -> Optional.of(k.loftqIterations()).filter(i -> k.start().equals("loftq"))),
          "Iterations of `loftq`; the one that loses least is kept.");

  static final List<Key<Recipe, ?>> KEYS =
      List.of(
          RSLORA,
          DORA,
          BIAS,
          RANK_PATTERN,
          ALPHA_PATTERN,
          EXCLUDE,
          LAYERS,
          LAYERS_PATTERN,
          MODULES_TO_SAVE,
          INIT,
          LOFTQ_ITER);

  private static <T> Function<Recipe, Optional<T>> kind(Function<LoraKind, Optional<T>> part) {
    return r -> r.model().lora().flatMap(Lora::described).map(Lora.New::kind).flatMap(part);
  }

  private static <T> Optional<List<T>> some(List<T> list) {
    return list.isEmpty() ? Optional.empty() : Optional.of(list);
  }

  private static <T> Optional<Map<String, T>> some(Map<String, T> map) {
    return map.isEmpty() ? Optional.empty() : Optional.of(map);
  }

  static void check(Values<Recipe> v) {
    if (v.given(LoraKeys.MODEL_DIR)) {
      return;
    }
    String start = v.find(INIT).orElse("true");
    boolean loftq = start.equals("loftq");
    if (!loftq) {
      v.refuse("only used with peft_init_lora_weights: loftq; remove it", LOFTQ_ITER);
    }
    if (loftq && v.is(ModelKeys.ADAPTER, Recipe.Adapter.LORA)) {
      v.problem(INIT, "loftq makes up for what quantisation loses; write adapter: qlora");
    }
    if (v.is(BIAS, true) && v.is(DORA, true)) {
      v.problem(BIAS, "does not go with peft_use_dora; write one of them");
    }
    if (v.is(BIAS, true) && !start.equals("true") && !start.equals("false")) {
      v.problem(BIAS, "goes with peft_init_lora_weights: true or false only");
    }
    if (start.equals("orthogonal") && v.find(LoraKeys.RANK).filter(r -> r % 2 != 0).isPresent()) {
      v.problem(INIT, "orthogonal needs an even lora_r");
    }
    if (v.given(LAYERS_PATTERN) && !v.given(LAYERS)) {
      v.problem(LAYERS_PATTERN, "only used with peft_layers_to_transform; remove it");
    }
    boolean expression =
        v.find(LoraKeys.TARGETS).filter(t -> !t.isAll() && t.expression().isPresent()).isPresent();
    if (v.given(LAYERS) && expression) {
      v.problem(
          LAYERS, "lora_target_modules is a regular expression; let it name the layers instead");
    }
  }

  static LoraKind build(Values<Recipe> v) {
    return new LoraKind(
        v.get(RSLORA),
        v.get(DORA),
        v.get(BIAS),
        v.find(RANK_PATTERN).orElse(Map.of()),
        v.find(ALPHA_PATTERN).orElse(Map.of()),
        v.find(EXCLUDE),
        v.find(LAYERS).orElse(List.of()),
        v.find(LAYERS_PATTERN).orElse(List.of()),
        v.find(MODULES_TO_SAVE).orElse(List.of()),
        v.get(INIT),
        v.get(LOFTQ_ITER));
  }
}
