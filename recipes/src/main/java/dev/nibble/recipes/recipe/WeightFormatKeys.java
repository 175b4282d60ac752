package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.flag;
import static dev.nibble.recipes.schema.KeyTypes.oneOf;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import dev.nibble.quant.hqq.HqqFormat;
import dev.nibble.quant.hqq.MixedHqqFormat;
import dev.nibble.quant.int8.Int8Format;
import dev.nibble.recipes.recipe.Recipe.Adapter;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyValues;
import dev.nibble.recipes.yaml.YamlText;
import dev.nibble.trainer.model.build.ModelLoader;
import java.nio.file.Path;
import java.util.Optional;

/** Keys of the format that the base's frozen weights are kept in. */
final class WeightFormatKeys {
  private WeightFormatKeys() {}

  static final Key<Recipe, Boolean> LOAD_IN_4BIT =
      Key.of(
          "load_in_4bit",
          flag(),
          otherwise("`true` with `adapter: qlora`, else `false` or as the base is stored"),
          r -> fourBit(r).isPresent(),
          "Quantise the base to four bits while loading, one tensor at a time. A base that bitsandbytes or `nibble"
              + " quantize` saved in four bits is loaded without quantising again: keys that are left out follow it, and a key that"
              + " contradicts it is an error.");

  static final Key<Recipe, QuantType> QUANT_TYPE =
      Key.when(
          "bnb_4bit_quant_type",
          oneOf(QuantType.class),
          value(QuantType.NF4),
          r -> fourBit(r).map(FourBitFormat::type),
          "The sixteen values a weight can take: NormalFloat (`nf4`) or floating point (`fp4`).");

  static final Key<Recipe, Boolean> DOUBLE_QUANT =
      Key.when(
          "bnb_4bit_use_double_quant",
          flag(),
          value(true),
          r -> fourBit(r).map(FourBitFormat::doubleQuant),
          "Also quantise the scales: 0.127 instead of 0.5 bits per weight for scales.");

  static final Key<Recipe, Integer> BLOCK_SIZE =
      Key.when(
          "bnb_4bit_blocksize",
          wholeNumber(1),
          value(FourBitFormat.DEFAULT_BLOCK_SIZE),
          r -> fourBit(r).map(FourBitFormat::blockSize),
          "Number of weights that share one scale: 32, 64, 128, 256, 512, 1024, 2048 or 4096.");

  static final Key<Recipe, Boolean> LOAD_IN_8BIT =
      Key.when(
          "load_in_8bit",
          flag(),
          value(false),
          r -> int8(r).map(f -> true),
          "With `adapter: lora`, `ia3` or `vera`, keep the base in 8-bit integers with a scale and a zero point for each"
              + " group of inputs: weights alone, and not bitsandbytes' LLM.int8. A base that `nibble quantize --type"
              + " int8` saved is loaded without quantising again, and the keys can be left out.");

  static final Key<Recipe, Integer> GROUP_SIZE =
      Key.when(
          "int8_group_size",
          wholeNumber(1),
          value(Int8Format.DEFAULT_GROUP_SIZE),
          r -> int8(r).map(Int8Format::groupSize),
          "Number of inputs that share a scale and a zero point. It must divide the inputs of every linear layer.");

  private static Optional<Int8Format> int8(Recipe r) {
    return r.model()
        .quantization()
        .filter(Int8Format.class::isInstance)
        .map(Int8Format.class::cast);
  }

  private static Optional<FourBitFormat> fourBit(Recipe r) {
    return r.model()
        .quantization()
        .filter(FourBitFormat.class::isInstance)
        .map(FourBitFormat.class::cast);
  }

  static void checkFourBit(KeyValues<Recipe> v) {
    if (v.find(ModelKeys.ADAPTER).isEmpty()) {
      return;
    }
    boolean qlora = v.is(ModelKeys.ADAPTER, Adapter.QLORA);
    boolean either = takesEither(v);
    if (qlora && v.is(LOAD_IN_4BIT, false)) {
      v.problem(
          LOAD_IN_4BIT,
          "adapter: qlora needs a base in four bits; write true, or adapter: lora for a base in full precision");
    }
    if (!qlora && !either && v.is(LOAD_IN_4BIT, true)) {
      v.problem(
          LOAD_IN_4BIT,
          v.is(ModelKeys.ADAPTER, Adapter.LORA)
              ? "LoRA on a base in four bits is adapter: qlora"
              : "adapter: none trains every weight, which four bits cannot; write false, or adapter: qlora");
    }
    if (either && !v.is(LOAD_IN_4BIT, true)) {
      v.refuse(
          "only used with load_in_4bit: true; remove it", QUANT_TYPE, DOUBLE_QUANT, BLOCK_SIZE);
    } else if (!qlora && !either) {
      v.refuse("only used with adapter: qlora; remove it", QUANT_TYPE, DOUBLE_QUANT, BLOCK_SIZE);
    }
  }

  /** Adapters whose name does not say what base they are on. */
  private static boolean takesEither(KeyValues<Recipe> v) {
    return v.is(ModelKeys.ADAPTER, Adapter.IA3) || v.is(ModelKeys.ADAPTER, Adapter.VERA);
  }

  static void checkInt8(KeyValues<Recipe> v) {
    boolean asked = v.is(LOAD_IN_8BIT, true);
    if (!asked) {
      v.refuse("only used with load_in_8bit: true; remove it", GROUP_SIZE);
    } else if (v.is(ModelKeys.ADAPTER, Adapter.QLORA)) {
      v.problem(
          LOAD_IN_8BIT,
          "adapter: qlora is LoRA on a base in four bits; write adapter: lora, or remove the key");
    } else if (v.is(ModelKeys.ADAPTER, Adapter.NONE)) {
      v.problem(
          LOAD_IN_8BIT,
          "adapter: none trains every weight, which 8 bits cannot; write adapter: lora, or remove the key");
    } else if (v.is(LOAD_IN_4BIT, true)) {
      v.problem(LOAD_IN_8BIT, "load_in_4bit is true, too; remove one of them");
    }
  }

  static void checkBlockSize(KeyValues<Recipe> v) {
    v.find(BLOCK_SIZE)
        .filter(size -> !FourBitFormat.BLOCK_SIZES.contains(size))
        .ifPresent(size ->
            v.problem(
                BLOCK_SIZE, "expected 32, 64, 128, 256, 512, 1024, 2048 or 4096, got " + size));
  }

  /** What a base that is quantised already leaves to choose: nothing. */
  static void checkBase(KeyValues<Recipe> v, WeightFormat stored) {
    v.refuse(
        "the base is in %s already; remove the key".formatted(stored.describe()), PlanKeys.PLAN);
    if (stored instanceof HqqFormat || stored instanceof MixedHqqFormat) {
      HqqKeys.checkBase(v, stored);
      return;
    }
    v.refuse(
        "the base is in %s already; remove the key".formatted(stored.describe()), HqqKeys.BITS);
    if (stored instanceof FourBitFormat format) {
      if (takesEither(v) && v.is(LOAD_IN_4BIT, false)) {
        v.problem(LOAD_IN_4BIT, "the base is in four bits already; remove the key");
      }
      if (!takesEither(v)
          && v.find(ModelKeys.ADAPTER).filter(a -> a != Adapter.QLORA).isPresent()) {
        v.problem(ModelKeys.ADAPTER, "the base is in four bits already; write qlora");
        return;
      }
      if (v.is(LOAD_IN_8BIT, true)) {
        v.problem(LOAD_IN_8BIT, "the base is in four bits already; remove the key");
      }
      contradicts(v, "four bits", QUANT_TYPE, format.type());
      contradicts(v, "four bits", DOUBLE_QUANT, format.doubleQuant());
      contradicts(v, "four bits", BLOCK_SIZE, format.blockSize());
      return;
    }
    String bits = stored instanceof Int8Format ? "8 bits" : stored.describe();
    if (v.is(ModelKeys.ADAPTER, Adapter.QLORA) || v.is(ModelKeys.ADAPTER, Adapter.NONE)) {
      v.problem(ModelKeys.ADAPTER, "the base is in %s already; write lora".formatted(bits));
      return;
    }
    contradicts(v, bits, LOAD_IN_4BIT, false);
    contradicts(v, bits, LOAD_IN_8BIT, stored instanceof Int8Format);
    if (stored instanceof Int8Format format) {
      contradicts(v, bits, GROUP_SIZE, format.groupSize());
    }
  }

  static <T> void contradicts(KeyValues<Recipe> v, String bits, Key<Recipe, T> key, T stored) {
    if (v.given(key) && v.find(key).isPresent() && !v.is(key, stored)) {
      v.problem(
          key,
          "the base is in %s already, with %s; remove the key"
              .formatted(bits, YamlText.inline(key.type().plain(stored))));
    }
  }

  /** The format of a base's frozen weights: the stored one, or what the keys say. */
  static Optional<WeightFormat> build(KeyValues<Recipe> v, Path base) {
    if (v.is(ModelKeys.ADAPTER, Adapter.NONE)) {
      return Optional.empty();
    }
    return ModelLoader.storedFormat(base).or(() -> asked(v));
  }

  private static Optional<WeightFormat> asked(KeyValues<Recipe> v) {
    if (v.find(PlanKeys.PLAN).isPresent()) {
      return PlanKeys.asked(v);
    }
    if (v.is(ModelKeys.ADAPTER, Adapter.QLORA) || v.is(LOAD_IN_4BIT, true)) {
      return Optional.of(
          new FourBitFormat(v.get(QUANT_TYPE), v.get(BLOCK_SIZE), v.get(DOUBLE_QUANT)));
    }
    return v.is(LOAD_IN_8BIT, true)
        ? Optional.of(new Int8Format(v.get(GROUP_SIZE)))
        : HqqKeys.asked(v);
  }
}
