package dev.nibble.quant.named;

import dev.nibble.compute.weights.Groups.Axis;
import dev.nibble.errors.NearestName;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import dev.nibble.quant.codebook.BlockScales;
import dev.nibble.quant.codebook.CodebookFormat;
import dev.nibble.quant.codebook.CodebookFormat.Table;
import dev.nibble.quant.gptq.GptqFormat;
import dev.nibble.quant.hqq.HqqFormat;
import dev.nibble.quant.hqq.HqqFormat.Metadata;
import dev.nibble.quant.int8.Int8Format;
import dev.nibble.quant.quip.QuipFormat;
import dev.nibble.quant.spqr.SpqrFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The names of weight formats, with their sizes where these are not the usual ones: {@code nf4},
 * {@code nf4-256-plain}, {@code hqq-2-g16}. A new format has a line in {@link #FAMILIES}.
 */
public final class FormatNames {
  /** The name of weights as they are stored. */
  public static final String FULL = "full";

  private static final String BLOCKS = "(?:-(?<block>\\d{1,6}))?(?:-(?<scales>dq|plain))?";
  private static final String GROUPS = "(?:-g(?<group>\\d{1,6}))?";
  private static final String BITS = "-(?<bits>\\d{1,2})";

  private static final List<Family> FAMILIES =
      List.of(
          fourBit("nf4", QuantType.NF4),
          fourBit("fp4", QuantType.FP4),
          codebook("e2m1", Table.E2M1),
          codebook("nf3", Table.NF3),
          codebook("nf2", Table.NF2),
          codebook("int4", Table.INT4),
          codebook("int3", Table.INT3),
          codebook("int2", Table.INT2),
          new Family(List.of("int8"), "int8[-gGROUP]", "int8" + GROUPS, FormatNames::int8),
          affine("hqq", true),
          affine("rtn", false), // round-to-nearest: HQQ whose zero points are not fitted
          new Family(
              GptqFormat.BITS.stream().map(bits -> "gptq-" + bits).toList(),
              "gptq-BITS[-gGROUP]",
              "gptq" + BITS + GROUPS,
              FormatNames::gptq),
          new Family(
              SpqrFormat.BITS.stream().map(bits -> "spqr-" + bits).toList(),
              "spqr-BITS[-gGROUP]",
              "spqr" + BITS + GROUPS,
              FormatNames::spqr),
          new Family(
              QuipFormat.BITS.stream().map(bits -> "quip-" + bits).toList(),
              "quip-BITS",
              "quip" + BITS,
              m -> QuipFormat.quip(bits(m, QuipFormat.BITS))),
          new Family(
              QuipFormat.BITS.stream().map(bits -> "caldera-" + bits).toList(),
              "caldera-BITS[-rRANK]",
              "caldera" + BITS + "(?:-r(?<rank>\\d{1,5}))?",
              FormatNames::caldera));

  /**
   * Formats that are named alike.
   *
   * @param examples some of the names
   * @param form how their names are written, for people
   * @param name an expression of the names
   * @param make makes the format of a name
   */
  private record Family(List<String> examples, String form, Pattern name, Maker make) {
    Family(List<String> examples, String form, String name, Maker make) {
      this(examples, form, Pattern.compile(name), make);
    }
  }

  private interface Maker {
    WeightFormat of(Matcher name);
  }

  private FormatNames() {}

  /**
   * The format of a name.
   *
   * @param name in any case
   * @return empty for {@value #FULL}
   * @throws UnknownFormat when there is none; lists those that there are
   */
  public static Optional<WeightFormat> parse(String name) {
    String lower = plain(name);
    if (lower.equals(FULL)) {
      return Optional.empty();
    }
    for (Family family : FAMILIES) {
      Matcher matcher = family.name().matcher(lower);
      if (matcher.matches()) {
        return Optional.of(family.make().of(matcher));
      }
    }
    throw new UnknownFormat(
        "unknown weight format '%s'.%s There are %s"
            .formatted(name, NearestName.hint(examples(), lower), forms()));
  }

  /**
   * A name as it is written here: in small letters.
   *
   * @throws UnknownFormat when no format has it
   */
  public static String normal(String name) {
    parse(name);
    return plain(name);
  }

  private static String plain(String name) {
    return name.strip().toLowerCase(Locale.ROOT);
  }

  /** How names are written, for people: {@code full, nf4[-BLOCK][-plain], …}. */
  public static String forms() {
    return FULL + ", " + FAMILIES.stream().map(Family::form).collect(Collectors.joining(", "));
  }

  private static List<String> examples() {
    List<String> names = new ArrayList<>(List.of(FULL));
    FAMILIES.forEach(f -> names.addAll(f.examples()));
    return names;
  }

  private static Family fourBit(String name, QuantType type) {
    return new Family(
        List.of(name),
        name + "[-BLOCK][-plain]",
        name + BLOCKS,
        m -> {
          BlockScales scales = scales(m);
          if (!FourBitFormat.BLOCK_SIZES.contains(scales.block())) {
            throw wrong(m, "a block size of " + FourBitFormat.BLOCK_SIZES);
          }
          return new FourBitFormat(type, scales.block(), scales.nested());
        });
  }

  private static Family codebook(String name, Table table) {
    return new Family(
        List.of(name),
        name + "[-BLOCK][-plain]",
        name + BLOCKS,
        m -> new CodebookFormat(table, scales(m)));
  }

  /** Scales are quantised in turn, as QLoRA's, unless the name ends with {@code -plain}. */
  private static BlockScales scales(Matcher m) {
    int block = positive(m, "block", BlockScales.DEFAULT_BLOCK);
    return new BlockScales(block, !"plain".equals(m.group("scales")));
  }

  private static Int8Format int8(Matcher m) {
    return new Int8Format(positive(m, "group", Int8Format.DEFAULT_GROUP_SIZE));
  }

  private static Family affine(String name, boolean optimize) {
    return new Family(
        HqqFormat.BITS.stream().map(bits -> name + "-" + bits).toList(),
        name + "-BITS[-gGROUP]",
        name + BITS + GROUPS,
        m -> hqq(m, optimize));
  }

  private static HqqFormat hqq(Matcher m, boolean optimize) {
    int bits = bits(m, HqqFormat.BITS);
    int group = number(m, "group", HqqFormat.DEFAULT_GROUP_SIZE);
    if (group < Byte.SIZE || group % Byte.SIZE != 0) {
      throw wrong(m, "a group size that is a multiple of 8");
    }
    return new HqqFormat(bits, group, Axis.INPUTS, optimize, Metadata.F16);
  }

  /** In groups of 64, as the others have, so that names compare at equal sizes. */
  private static GptqFormat gptq(Matcher m) {
    int bits = bits(m, GptqFormat.BITS);
    return new GptqFormat(bits, positive(m, "group", HqqFormat.DEFAULT_GROUP_SIZE));
  }

  private static SpqrFormat spqr(Matcher m) {
    int bits = bits(m, SpqrFormat.BITS);
    return new SpqrFormat(bits, positive(m, "group", SpqrFormat.DEFAULT_GROUP_SIZE));
  }

  private static QuipFormat caldera(Matcher m) {
    int bits = bits(m, QuipFormat.BITS);
    int rank = number(m, "rank", QuipFormat.FITTING);
    if (rank == 0) {
      throw wrong(m, "a rank of 1 or more");
    }
    return QuipFormat.caldera(bits, rank);
  }

  private static int bits(Matcher m, List<Integer> known) {
    int bits = Integer.parseInt(m.group("bits"));
    if (!known.contains(bits)) {
      throw wrong(m, "bits of " + known);
    }
    return bits;
  }

  private static int positive(Matcher m, String group, int otherwise) {
    int size = number(m, group, otherwise);
    if (size < 1) {
      throw wrong(m, "a %s size of 1 or more".formatted(group));
    }
    return size;
  }

  private static int number(Matcher m, String group, int otherwise) {
    return Optional.ofNullable(m.group(group)).map(Integer::parseInt).orElse(otherwise);
  }

  private static UnknownFormat wrong(Matcher m, String expected) {
    return new UnknownFormat("weight format '%s': expected %s".formatted(m.group(), expected));
  }
}
