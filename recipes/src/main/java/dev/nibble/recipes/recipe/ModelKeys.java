package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.required;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.modelPath;
import static dev.nibble.recipes.schema.KeyTypes.oneOf;

import dev.nibble.compute.safetensors.MalformedSafetensors;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.recipes.recipe.Recipe.Adapter;
import dev.nibble.recipes.recipe.Recipe.InitWeights;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyValues;
import dev.nibble.recipes.schema.Schema.Group;
import dev.nibble.trainer.model.ModelException;
import dev.nibble.trainer.model.build.ModelLoader;
import java.nio.file.Path;
import java.util.List;

/** Keys of the base model and its quantisation. */
final class ModelKeys {
  private ModelKeys() {}

  static final Key<Recipe, Path> BASE_MODEL =
      Key.of(
          "base_model",
          modelPath(),
          required(),
          r -> r.model().base(),
          "Folder of the base model: `config.json`, `tokenizer.json`, and safetensors (one file, or several with"
              + " `model.safetensors.index.json`).");

  static final Key<Recipe, Adapter> ADAPTER =
      Key.of(
          "adapter",
          oneOf(Adapter.class),
          value(Adapter.QLORA),
          r -> r.model().adapter(),
          "Which weights are trained: `qlora` trains low-rank adapters on a base in four bits, `lora` the same on a base in full"
              + " precision, in 8 bits or in HQQ, `ia3` scaling vectors (IA3) and `vera` vectors between random matrices (VeRA) on any of these, `none`"
              + " every weight.");

  static final Key<Recipe, InitWeights> INIT_WEIGHTS =
      Key.of(
          "init_weights",
          oneOf(InitWeights.class),
          value(InitWeights.CHECKPOINT),
          r -> r.model().init(),
          "`random` starts from `config.json` alone, to pretrain a model with `adapter: none`.");

  static final RecipeKeys.Part PART =
      new RecipeKeys.Part(
          new Group<>(
              "Model",
              List.of(
                  BASE_MODEL,
                  ADAPTER,
                  INIT_WEIGHTS,
                  WeightFormatKeys.LOAD_IN_4BIT,
                  WeightFormatKeys.QUANT_TYPE,
                  WeightFormatKeys.DOUBLE_QUANT,
                  WeightFormatKeys.BLOCK_SIZE,
                  WeightFormatKeys.LOAD_IN_8BIT,
                  WeightFormatKeys.GROUP_SIZE,
                  HqqKeys.BITS,
                  HqqKeys.GROUP_SIZE,
                  HqqKeys.AXIS,
                  HqqKeys.OPTIMIZE,
                  HqqKeys.QUANTIZED_METADATA,
                  PlanKeys.PLAN)),
          List.of(
              WeightFormatKeys::checkFourBit,
              WeightFormatKeys::checkBlockSize,
              WeightFormatKeys::checkInt8,
              HqqKeys::check,
              PlanKeys::check,
              ModelKeys::checkInit,
              ModelKeys::checkBase));

  private static void checkInit(KeyValues<Recipe> v) {
    boolean adapter = v.find(ADAPTER).filter(a -> a != Adapter.NONE).isPresent();
    if (v.is(INIT_WEIGHTS, InitWeights.RANDOM) && adapter) {
      v.problem(
          INIT_WEIGHTS,
          "random weights are there to be trained: write adapter: none, or checkpoint here");
    }
  }

  private static void checkBase(KeyValues<Recipe> v) {
    try {
      v.find(BASE_MODEL)
          .flatMap(ModelLoader::storedFormat)
          .ifPresent(stored -> WeightFormatKeys.checkBase(v, stored));
    } catch (ModelException | UnusableWeight | MalformedSafetensors e) {
      v.problem(BASE_MODEL, String.valueOf(e.getMessage()));
    }
  }

  static Recipe.Model build(KeyValues<Recipe> v) {
    Path base = v.get(BASE_MODEL);
    return new Recipe.Model(
        base,
        v.get(INIT_WEIGHTS),
        adapter(v),
        WeightFormatKeys.build(v, base),
        v.find(PlanKeys.PLAN),
        AdapterKeys.build(v));
  }

  /** QLoRA by a plan is LoRA: the plan says what the base is kept in. */
  private static Adapter adapter(KeyValues<Recipe> v) {
    Adapter asked = v.get(ADAPTER);
    return asked == Adapter.QLORA && v.find(PlanKeys.PLAN).isPresent() ? Adapter.LORA : asked;
  }
}
