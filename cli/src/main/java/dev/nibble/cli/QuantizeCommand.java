package dev.nibble.cli;

import dev.nibble.api.Nibble;
import dev.nibble.api.export.Calibration;
import dev.nibble.api.export.Quantizer;
import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.cli.report.Activities;
import dev.nibble.cli.terminal.Console;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.weights.Groups.Axis;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import dev.nibble.quant.gptq.GptqFormat;
import dev.nibble.quant.hqq.HqqFormat;
import dev.nibble.quant.int8.Int8Format;
import dev.nibble.quant.quip.QuipFormat;
import dev.nibble.quant.spqr.SpqrFormat;
import dev.nibble.recipes.recipe.Recipes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code nibble quantize}. */
@Command(
    name = "quantize",
    header = "Save a model with its linear layers in few bits.",
    description = {
      "%nQuantises the linear layers of a model's blocks to NF4 or FP4, as QLoRA training does and as transformers with"
          + " bitsandbytes reads them, to 8-bit integers in the layout of compressed-tensors, or by HQQ, GPTQ or SpQR; copies"
          + " the rest. The result can also be the base_model of a recipe. Only one tensor at a time is in memory, with GPTQ"
          + " and SpQR one layer. A calibration that is stopped goes on when the same command is given again."
    },
    parameterListHeading = "%nArguments:%n",
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "Examples:",
      "  nibble quantize models/llama models/llama-4bit --compute-dtype bfloat16",
      "  nibble quantize models/llama models/llama-gptq --type gptq --data my.yaml"
    })
final class QuantizeCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "Folder of the model, which must not be quantised.")
  private Path model = Path.of("");

  @Parameters(index = "1", paramLabel = "OUT", description = "Folder to write.")
  private Path output = Path.of("");

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      defaultValue = "nf4",
      description =
          "nf4 (default) or fp4, sixteen values and a scale for each block; int8, integers with a scale and a zero point for"
              + " each group of inputs; hqq, --bits bits and fitted zero points; gptq, --bits bits fitted to --data; spqr, the"
              + " same in small groups with outliers apart; quip, points of a lattice in a random basis, fitted likewise; or"
              + " caldera, the same beside a product of low rank. Nibble alone reads the last three.")
  private Type type = Type.NF4;

  /** Kinds of weight formats. */
  enum Type {
    NF4,
    FP4,
    INT8,
    HQQ,
    GPTQ,
    SPQR,
    QUIP,
    CALDERA;

    private boolean calibrated() {
      return switch (this) {
        case GPTQ, SPQR, QUIP, CALDERA -> true;
        case NF4, FP4, INT8, HQQ -> false;
      };
    }
  }

  @Option(
      names = "--double-quant",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description = "With 4 bits: also quantise the scales (default), or not.")
  private boolean doubleQuant;

  @Option(
      names = "--blocksize",
      paramLabel = "N",
      defaultValue = "64",
      description =
          "With 4 bits: number of weights that share one scale (default 64). transformers itself always writes 64; it can"
              + " read other sizes if its bitsandbytes supports them.")
  private int blockSize;

  @Option(
      names = "--group-size",
      paramLabel = "N",
      description =
          "Number of weights that share a scale and a zero point. With int8, 128 by default: it must divide the inputs of every"
              + " linear layer. With hqq, 64 by default: a multiple of 8. With gptq, 128 by default, or -1 for whole rows. With spqr,"
              + " 16 by default.")
  private Optional<Integer> groupSize = Optional.empty();

  @Option(
      names = "--bits",
      paramLabel = "N",
      defaultValue = "4",
      description =
          "With hqq, gptq, spqr, quip and caldera: bits of a weight: 4 (default), 3, 2, or 8 with the first three, or 1 with"
              + " hqq.")
  private int bits;

  @Option(
      names = "--axis",
      paramLabel = "AXIS",
      defaultValue = "inputs",
      description =
          "With hqq: whether groups run along inputs (default) or outputs, a little better at 1 and 2 bits.")
  private Axis axis = Axis.INPUTS;

  @Option(
      names = "--data",
      paramLabel = "RECIPE",
      description =
          "With gptq, spqr, quip and caldera: the recipe whose training data, formatted and tokenised as for training, MODEL is calibrated with.")
  private Optional<Path> data = Optional.empty();

  @Option(
      names = "--samples",
      paramLabel = "N",
      defaultValue = "" + Calibration.DEFAULT_SAMPLES,
      description =
          "With --data: how many samples of these data to take (default ${DEFAULT-VALUE}). Too few say little of layers with"
              + " many inputs.")
  private int samples;

  @Option(
      names = "--symmetric",
      description = "With gptq: no zero points, as some readers want it; a little worse.")
  private boolean symmetric;

  @Option(
      names = "--act-order",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description =
          "With gptq: round inputs with large activations first (default), in groups that stay consecutive; or not.")
  private boolean actOrder;

  @Option(
      names = "--damping",
      paramLabel = "X",
      description =
          "With --data: part of the mean of the second moments that is added to each (by default "
              + GptqFormat.DEFAULT_DAMPING
              + ", and with spqr "
              + SpqrFormat.DEFAULT_DAMPING
              + "); more is safer with little data.")
  private Optional<Double> damping = Optional.empty();

  @Option(
      names = "--outlier-threshold",
      paramLabel = "X",
      defaultValue = "" + SpqrFormat.DEFAULT_OUTLIER_THRESHOLD,
      description =
          "With spqr: weights whose rounding costs more than this times the mean variance of a column are held apart in 16"
              + " bits (default ${DEFAULT-VALUE}); less holds more of them apart.")
  private double outlierThreshold;

  @Option(
      names = "--rank",
      paramLabel = "N",
      description =
          "With caldera: rank of the product beside each matrix; by default a thirty-second of its smaller side, which costs a"
              + " quarter of a bit a weight.")
  private Optional<Integer> rank = Optional.empty();

  @Option(
      names = "--compute-dtype",
      paramLabel = "DTYPE",
      defaultValue = "bfloat16",
      description =
          "With 4 bits: dtype that transformers will compute in, written to config.json: bfloat16 (default), float16 or"
              + " float32.")
  private ComputeType computeDtype = ComputeType.BFLOAT16;

  /** Data types, as config.json names them. */
  enum ComputeType {
    BFLOAT16(DType.BF16),
    FLOAT16(DType.F16),
    FLOAT32(DType.F32);

    private final DType dtype;

    ComputeType(DType dtype) {
      this.dtype = dtype;
    }
  }

  @Option(
      names = "--skip-modules",
      paramLabel = "NAME",
      split = ",",
      description =
          "Linear layers to leave unquantised besides the output head: names or whole paths, separated by commas.")
  private List<String> skip = new ArrayList<>();

  @Option(
      names = "--max-shard-size",
      paramLabel = "SIZE",
      defaultValue = "5GB",
      converter = ByteSize.Converter.class,
      description = "Largest size of one file (default ${DEFAULT-VALUE}).")
  private ByteSize maxShardSize = ByteSize.parse("5GB");

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "CPU threads; 0 = one for each core (default).")
  private int threads;

  @Option(names = "--overwrite", description = "Replace the model in OUT.")
  private boolean overwrite;

  @Override
  public Integer call() {
    Arguments.atLeast(spec, "--threads", threads, 0);
    try (Console console = Console.standard()) {
      quantize(console);
    }
    return ExitCode.OK;
  }

  private void quantize(Console console) {
    WeightFormat format = format();
    Quantizer.Result result =
        Nibble.reportingTo(event -> Activities.show(event, console))
            .quantize(
                new Quantizer.Request(
                    model,
                    output,
                    overwrite,
                    format,
                    calibration(),
                    computeDtype.dtype,
                    skip,
                    maxShardSize.bytes(),
                    threads));
    console.line(
        "Saved %s: %d of %s in %s, %s in %s"
            .formatted(
                Paths.shown(output),
                result.quantized(),
                Human.counted(result.linearMaps(), "linear layer"),
                format.describe(),
                Human.bytes(result.bytes()),
                Human.counted(result.files(), "file")));
  }

  private WeightFormat format() {
    if (type != Type.NF4 && type != Type.FP4) {
      refuse("--blocksize", "--double-quant", "--compute-dtype");
    }
    if (type != Type.GPTQ) {
      refuse("--symmetric", "--act-order");
      groupSize.ifPresent(size -> Arguments.atLeast(spec, "--group-size", size, 1));
    }
    if (type != Type.SPQR) {
      refuse("--outlier-threshold");
    }
    if (type != Type.CALDERA) {
      refuse("--rank");
    }
    if (!type.calibrated()) {
      refuse("--data", "--samples", "--damping");
    }
    return switch (type) {
      case INT8 -> {
        refuse("--bits", "--axis");
        yield new Int8Format(groupSize.orElse(Int8Format.DEFAULT_GROUP_SIZE));
      }
      case HQQ -> hqq();
      case GPTQ -> gptq();
      case SPQR -> spqr();
      case QUIP -> quip(QuipFormat.quip(latticeBits()));
      case CALDERA -> {
        rank.ifPresent(value -> Arguments.atLeast(spec, "--rank", value, 1));
        yield quip(QuipFormat.caldera(latticeBits(), rank.orElse(QuipFormat.FITTING)));
      }
      case NF4 -> fourBit(QuantType.NF4);
      case FP4 -> fourBit(QuantType.FP4);
    };
  }

  private HqqFormat hqq() {
    int size = groupSize.orElse(HqqFormat.DEFAULT_GROUP_SIZE);
    if (!HqqFormat.BITS.contains(bits)) {
      throw wrong("--bits", "one of " + HqqFormat.BITS, bits);
    }
    if (size % Byte.SIZE != 0) {
      throw wrong("--group-size", "a multiple of 8", size);
    }
    return new HqqFormat(bits, size, axis, true, HqqFormat.Metadata.F16);
  }

  private GptqFormat gptq() {
    refuse("--axis");
    int size = groupSize.orElse(GptqFormat.DEFAULT_GROUP_SIZE);
    if (!GptqFormat.BITS.contains(bits)) {
      throw wrong("--bits", "one of " + GptqFormat.BITS, bits);
    }
    if (size < 1 && size != GptqFormat.WHOLE_ROWS) {
      throw wrong("--group-size", "at least 1, or -1 for whole rows", size);
    }
    double part = positive("--damping", damping.orElse(GptqFormat.DEFAULT_DAMPING));
    return new GptqFormat(bits, size, symmetric, actOrder, part, GptqFormat.Version.GPTQ);
  }

  private SpqrFormat spqr() {
    refuse("--axis");
    if (!SpqrFormat.BITS.contains(bits)) {
      throw wrong("--bits", "one of " + SpqrFormat.BITS, bits);
    }
    return new SpqrFormat(bits, groupSize.orElse(SpqrFormat.DEFAULT_GROUP_SIZE))
        .with(
            positive("--outlier-threshold", outlierThreshold),
            positive("--damping", damping.orElse(SpqrFormat.DEFAULT_DAMPING)));
  }

  private QuipFormat quip(QuipFormat format) {
    refuse("--axis", "--group-size");
    double part = positive("--damping", damping.orElse(QuipFormat.DEFAULT_DAMPING));
    return format.with(QuipFormat.DEFAULT_PASSES, part);
  }

  private int latticeBits() {
    if (!QuipFormat.BITS.contains(bits)) {
      throw wrong("--bits", "one of " + QuipFormat.BITS, bits);
    }
    return bits;
  }

  private double positive(String option, double value) {
    if (!(value > 0 && Double.isFinite(value))) {
      throw wrong(option, "a positive number", value);
    }
    return value;
  }

  /** The recipe's data, as MODEL's tokenizer cuts them. */
  private Optional<Calibration> calibration() {
    if (!type.calibrated()) {
      return Optional.empty();
    }
    Arguments.atLeast(spec, "--samples", samples, 1);
    Path recipe =
        data.orElseThrow(() ->
            new ParameterException(
                spec.commandLine(),
                "--data: --type %s is fitted to data; give a recipe, such as the one to train with"
                    .formatted(type.name().toLowerCase(Locale.ROOT))));
    return Optional.of(
        new Calibration(
            Recipes.read(
                recipe,
                List.of("base_model=" + model.toAbsolutePath()),
                note -> spec.commandLine().getErr().println(note)),
            samples));
  }

  private FourBitFormat fourBit(QuantType values) {
    refuse("--group-size", "--bits", "--axis");
    if (!FourBitFormat.BLOCK_SIZES.contains(blockSize)) {
      throw wrong("--blocksize", "one of " + FourBitFormat.BLOCK_SIZES, blockSize);
    }
    return new FourBitFormat(values, blockSize, doubleQuant);
  }

  private ParameterException wrong(String option, Object expected, Object found) {
    return new ParameterException(
        spec.commandLine(), "%s: expected %s, got %s".formatted(option, expected, found));
  }

  private void refuse(String... options) {
    for (String option : options) {
      if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
        throw new ParameterException(
            spec.commandLine(),
            "%s: not for --type %s; remove it"
                .formatted(option, type.name().toLowerCase(Locale.ROOT)));
      }
    }
  }
}
