package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.required;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.flag;
import static dev.nibble.recipes.schema.KeyTypes.inputPath;
import static dev.nibble.recipes.schema.KeyTypes.oneOf;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.compute.safetensors.MalformedSafetensors;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.recipes.recipe.Recipe.Adapter;
import dev.nibble.recipes.recipe.Recipe.FourBit;
import dev.nibble.recipes.recipe.Recipe.InitWeights;
import dev.nibble.recipes.recipe.Recipe.QuantType;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.Schema.Group;
import dev.nibble.recipes.schema.Values;
import dev.nibble.recipes.yaml.YamlText;
import dev.nibble.trainer.model.ModelException;
import dev.nibble.trainer.model.build.ModelLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Keys of the base model and its quantisation. */
final class ModelKeys {
  private ModelKeys() {}

  static final Key<Recipe, Path> BASE_MODEL =
      Key.of(
          "base_model",
          inputPath(),
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
              + " precision, `none` every weight.");

  static final Key<Recipe, InitWeights> INIT_WEIGHTS =
      Key.of(
          "init_weights",
          oneOf(InitWeights.class),
          value(InitWeights.CHECKPOINT),
          r -> r.model().init(),
          "`random` starts from `config.json` alone, to pretrain a model with `adapter: none`.");

  static final Key<Recipe, Boolean> LOAD_IN_4BIT =
      Key.of(
          "load_in_4bit",
          flag(),
          otherwise("`true` with `adapter: qlora`"),
          r -> r.model().fourBit().isPresent(),
          "Quantise the base to four bits while loading, one tensor at a time. A base that bitsandbytes or `nibble"
              + " quantize` saved in four bits is used as it is: keys that are left out follow it, and a key that"
              + " contradicts it is an error.");

  static final Key<Recipe, QuantType> QUANT_TYPE =
      Key.when(
          "bnb_4bit_quant_type",
          oneOf(QuantType.class),
          value(QuantType.NF4),
          r -> r.model().fourBit().map(FourBit::type),
          "The sixteen values a weight can take: NormalFloat (`nf4`) or floating point (`fp4`).");

  static final Key<Recipe, Boolean> DOUBLE_QUANT =
      Key.when(
          "bnb_4bit_use_double_quant",
          flag(),
          value(true),
          r -> r.model().fourBit().map(FourBit::doubleQuant),
          "Quantise the scales too: 0.127 bits a weight for scales in place of 0.5.");

  static final Key<Recipe, Integer> BLOCK_SIZE =
      Key.when(
          "bnb_4bit_blocksize",
          wholeNumber(1),
          value(64),
          r -> r.model().fourBit().map(FourBit::blockSize),
          "Weights that share one scale: 32, 64, 128, 256, 512, 1024, 2048 or 4096.");

  private static final List<Integer> BLOCK_SIZES = List.of(32, 64, 128, 256, 512, 1024, 2048, 4096);

  static final RecipeKeys.Part PART =
      new RecipeKeys.Part(
          new Group<>(
              "Model",
              List.of(
                  BASE_MODEL,
                  ADAPTER,
                  INIT_WEIGHTS,
                  LOAD_IN_4BIT,
                  QUANT_TYPE,
                  DOUBLE_QUANT,
                  BLOCK_SIZE)),
          List.of(
              ModelKeys::checkFourBit,
              ModelKeys::checkBlockSize,
              ModelKeys::checkInit,
              ModelKeys::checkBase));

  private static void checkFourBit(Values<Recipe> v) {
    if (v.find(ADAPTER).isEmpty()) {
      return;
    }
    boolean qlora = v.is(ADAPTER, Adapter.QLORA);
    if (qlora && v.is(LOAD_IN_4BIT, false)) {
      v.problem(
          LOAD_IN_4BIT,
          "adapter: qlora needs a base in four bits; write true, or adapter: lora for a base in full precision");
    }
    if (!qlora && v.is(LOAD_IN_4BIT, true)) {
      v.problem(
          LOAD_IN_4BIT,
          v.is(ADAPTER, Adapter.LORA)
              ? "LoRA on a base in four bits is adapter: qlora"
              : "adapter: none trains every weight, which four bits cannot; write false, or adapter: qlora");
    }
    if (!qlora) {
      v.refuse("only used with adapter: qlora; remove it", QUANT_TYPE, DOUBLE_QUANT, BLOCK_SIZE);
    }
  }

  private static void checkBlockSize(Values<Recipe> v) {
    v.find(BLOCK_SIZE)
        .filter(size -> !BLOCK_SIZES.contains(size))
        .ifPresent(size ->
            v.problem(
                BLOCK_SIZE, "expected 32, 64, 128, 256, 512, 1024, 2048 or 4096, got " + size));
  }

  private static void checkInit(Values<Recipe> v) {
    boolean adapter = v.find(ADAPTER).filter(a -> a != Adapter.NONE).isPresent();
    if (v.is(INIT_WEIGHTS, InitWeights.RANDOM) && adapter) {
      v.problem(
          INIT_WEIGHTS,
          "random weights are there to be trained: write adapter: none, or checkpoint here");
    }
  }

  /** What a base in four bits leaves to choose: nothing. */
  private static void checkBase(Values<Recipe> v) {
    try {
      v.find(BASE_MODEL).flatMap(ModelKeys::stored).ifPresent(stored -> checkBase(v, stored));
    } catch (ModelException | UnusableWeight | MalformedSafetensors e) {
      v.problem(BASE_MODEL, String.valueOf(e.getMessage()));
    }
  }

  private static void checkBase(Values<Recipe> v, FourBit stored) {
    if (v.find(ADAPTER).filter(a -> a != Adapter.QLORA).isPresent()) {
      v.problem(ADAPTER, "the base is in four bits already; write qlora");
      return;
    }
    contradicts(v, QUANT_TYPE, stored.type());
    contradicts(v, DOUBLE_QUANT, stored.doubleQuant());
    contradicts(v, BLOCK_SIZE, stored.blockSize());
  }

  private static <T> void contradicts(Values<Recipe> v, Key<Recipe, T> key, T stored) {
    if (v.given(key) && v.find(key).isPresent() && !v.is(key, stored)) {
      v.problem(
          key,
          "the base is in four bits already, with %s; remove the key"
              .formatted(YamlText.inline(key.type().plain(stored))));
    }
  }

  private static Optional<FourBit> stored(Path base) {
    return ModelLoader.storedFormat(base)
        .map(f -> new FourBit(QuantType.valueOf(f.type().name()), f.doubleQuant(), f.blockSize()));
  }

  static Recipe.Model build(Values<Recipe> v) {
    Adapter adapter = v.get(ADAPTER);
    return new Recipe.Model(
        v.get(BASE_MODEL),
        v.get(INIT_WEIGHTS),
        adapter,
        adapter == Adapter.QLORA
            ? stored(v.get(BASE_MODEL))
                .or(() ->
                    Optional.of(
                        new FourBit(v.get(QUANT_TYPE), v.get(DOUBLE_QUANT), v.get(BLOCK_SIZE))))
            : Optional.empty(),
        LoraKeys.build(v));
  }
}
