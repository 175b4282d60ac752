package dev.nibble.cli;

import dev.nibble.api.Nibble;
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
import dev.nibble.quant.hqq.HqqFormat;
import dev.nibble.quant.int8.Int8Format;
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
    header = "Save a model with its linear layers in 4 or 8 bits.",
    description = {
      "%nQuantises the linear layers of a model's blocks to NF4 or FP4, as QLoRA training does and as transformers with"
          + " bitsandbytes reads them, or to 8-bit integers in the layout of compressed-tensors; copies the rest. The"
          + " result can also be the base_model of a recipe. Only one tensor at a time is in memory."
    },
    parameterListHeading = "%nArguments:%n",
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "Example:",
      "  nibble quantize models/llama models/llama-4bit --compute-dtype bfloat16"
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
              + " each group of inputs; or hqq, --bits bits and fitted zero points.")
  private Type type = Type.NF4;

  /** Kinds of weight formats. */
  enum Type {
    NF4,
    FP4,
    INT8,
    HQQ
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
              + " linear layer. With hqq, 64 by default: a multiple of 8.")
  private Optional<Integer> groupSize = Optional.empty();

  @Option(
      names = "--bits",
      paramLabel = "N",
      defaultValue = "4",
      description = "With hqq: bits of a weight: 8, 4 (default), 3, 2 or 1.")
  private int bits;

  @Option(
      names = "--axis",
      paramLabel = "AXIS",
      defaultValue = "inputs",
      description =
          "With hqq: whether groups run along inputs (default) or outputs, a little better at 1 and 2 bits.")
  private Axis axis = Axis.INPUTS;

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
                    Optional.empty(),
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
    if (type == Type.INT8 || type == Type.HQQ) {
      refuse("--blocksize", "--double-quant", "--compute-dtype");
      groupSize.ifPresent(size -> Arguments.atLeast(spec, "--group-size", size, 1));
    }
    return switch (type) {
      case INT8 -> {
        refuse("--bits", "--axis");
        yield new Int8Format(groupSize.orElse(Int8Format.DEFAULT_GROUP_SIZE));
      }
      case HQQ -> hqq();
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

  private FourBitFormat fourBit(QuantType values) {
    refuse("--group-size", "--bits", "--axis");
    if (!FourBitFormat.BLOCK_SIZES.contains(blockSize)) {
      throw wrong("--blocksize", "one of " + FourBitFormat.BLOCK_SIZES, blockSize);
    }
    return new FourBitFormat(values, blockSize, doubleQuant);
  }

  private ParameterException wrong(String option, Object expected, int found) {
    return new ParameterException(
        spec.commandLine(), "%s: expected %s, got %d".formatted(option, expected, found));
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
