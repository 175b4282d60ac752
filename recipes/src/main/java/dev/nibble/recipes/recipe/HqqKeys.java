package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.flag;
import static dev.nibble.recipes.schema.KeyTypes.oneOf;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.compute.weights.Groups.Axis;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.hqq.HqqFormat;
import dev.nibble.quant.hqq.HqqFormat.Metadata;
import dev.nibble.recipes.recipe.Recipe.Adapter;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyValues;
import java.util.List;
import java.util.Optional;

/** Keys of a base in half-quadratic quantisation. */
final class HqqKeys {
  private HqqKeys() {}

  static final Key<Recipe, Integer> BITS =
      Key.when(
          "hqq_bits",
          wholeNumber(1),
          otherwise("a base without HQQ, or as it is stored"),
          r -> hqq(r).map(HqqFormat::bits),
          "With `adapter: lora`, `ia3` or `vera`, keep the base in half-quadratic quantisation (HQQ) of so many bits: 8, 4,"
              + " 3, 2 or 1. A base that transformers or `nibble quantize --type hqq` saved is used as it is, and the"
              + " keys can be left out.");

  static final Key<Recipe, Integer> GROUP_SIZE =
      Key.when(
          "hqq_group_size",
          wholeNumber(1),
          value(HqqFormat.DEFAULT_GROUP_SIZE),
          r -> hqq(r).map(HqqFormat::groupSize),
          "Number of weights that share a scale and a zero point, a multiple of 8. Small groups cost bits: 32 divided by"
              + " their size for each weight.");

  static final Key<Recipe, Axis> AXIS =
      Key.when(
          "hqq_axis",
          oneOf(Axis.class),
          value(Axis.INPUTS),
          r -> hqq(r).map(HqqFormat::axis),
          "Whether groups run along the `inputs` of a linear layer (the library's axis 1) or its `outputs` (axis 0), which is a"
              + " little better at 1 and 2 bits and slower.");

  static final Key<Recipe, Boolean> OPTIMIZE =
      Key.when(
          "hqq_optimize",
          flag(),
          value(true),
          r -> hqq(r).map(HqqFormat::optimize),
          "Fit zero points to the weights. `false` leaves plain rounding, to compare with.");

  static final Key<Recipe, Boolean> QUANTIZED_METADATA =
      Key.when(
          "hqq_quantized_metadata",
          flag(),
          value(false),
          r -> hqq(r).map(f -> f.metadata() == Metadata.QUANTIZED),
          "Also quantise scales and zero points, to 8 bits: 16.5 instead of 32 bits for each group.");

  private static Optional<HqqFormat> hqq(Recipe r) {
    return r.model().quantization().filter(HqqFormat.class::isInstance).map(HqqFormat.class::cast);
  }

  static void check(KeyValues<Recipe> v) {
    Optional<Integer> bits = v.find(BITS);
    if (bits.isEmpty()) {
      v.refuse(
          "only used with hqq_bits; remove it", GROUP_SIZE, AXIS, OPTIMIZE, QUANTIZED_METADATA);
      return;
    }
    if (!HqqFormat.BITS.contains(bits.get())) {
      v.problem(BITS, "expected 8, 4, 3, 2 or 1, got " + bits.get());
    }
    v.find(GROUP_SIZE)
        .filter(size -> size % Byte.SIZE != 0)
        .ifPresent(size -> v.problem(GROUP_SIZE, "expected a multiple of 8, got " + size));
    if (v.is(ModelKeys.ADAPTER, Adapter.QLORA)) {
      v.problem(
          BITS,
          "adapter: qlora is LoRA on a base in bitsandbytes' four bits; write adapter: lora, or remove the key");
    } else if (v.is(ModelKeys.ADAPTER, Adapter.NONE)) {
      v.problem(
          BITS,
          "adapter: none trains every weight, which a quantised base cannot; write adapter: lora, or remove the key");
    }
    for (Key<Recipe, Boolean> other :
        List.of(WeightFormatKeys.LOAD_IN_4BIT, WeightFormatKeys.LOAD_IN_8BIT)) {
      if (v.is(other, true) && v.given(other)) {
        v.problem(BITS, other.name() + " is true, too; remove one of them");
      }
    }
  }

  /** What a base in HQQ leaves to choose: nothing. */
  static void checkBase(KeyValues<Recipe> v, WeightFormat stored) {
    if (v.is(ModelKeys.ADAPTER, Adapter.QLORA) || v.is(ModelKeys.ADAPTER, Adapter.NONE)) {
      v.problem(ModelKeys.ADAPTER, "the base is in HQQ already; write lora");
      return;
    }
    WeightFormatKeys.contradicts(v, "HQQ", WeightFormatKeys.LOAD_IN_4BIT, false);
    WeightFormatKeys.contradicts(v, "HQQ", WeightFormatKeys.LOAD_IN_8BIT, false);
    if (stored instanceof HqqFormat format) {
      WeightFormatKeys.contradicts(v, "HQQ", BITS, format.bits());
      WeightFormatKeys.contradicts(v, "HQQ", GROUP_SIZE, format.groupSize());
      WeightFormatKeys.contradicts(v, "HQQ", AXIS, format.axis());
      WeightFormatKeys.contradicts(v, "HQQ", QUANTIZED_METADATA, false);
    } else {
      v.refuse("the base is in HQQ already, with settings for each layer; remove the key", BITS);
    }
  }

  /** What the keys ask for. */
  static Optional<WeightFormat> asked(KeyValues<Recipe> v) {
    return v.find(BITS)
        .map(bits ->
            new HqqFormat(
                bits,
                v.get(GROUP_SIZE),
                v.get(AXIS),
                v.get(OPTIMIZE),
                v.get(QUANTIZED_METADATA) ? Metadata.QUANTIZED : Metadata.F16));
  }
}
