package dev.nibble.cli;

import dev.nibble.api.Nibble;
import dev.nibble.api.export.Quantizer;
import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.cli.report.Activities;
import dev.nibble.cli.terminal.Console;
import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import dev.nibble.quant.int8.Int8Format;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
    header = "Write a model with its linear maps in four or eight bits.",
    description = {
      "%nPuts the linear maps inside a model's blocks in NF4 or FP4, as QLoRA training does, for transformers with"
          + " bitsandbytes, or in 8-bit integers in the layout of compressed-tensors, and copies the rest. What it writes"
          + " is a base for a recipe, too. One tensor at a time is in memory."
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
      description = "Folder of a model that is not quantised.")
  private Path model = Path.of("");

  @Parameters(index = "1", paramLabel = "OUT", description = "Folder to write.")
  private Path output = Path.of("");

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      defaultValue = "nf4",
      description =
          "nf4 (default) or fp4, sixteen values and a scale for each block; or int8, integers with a scale and a zero"
              + " point for each group of inputs.")
  private Type type = Type.NF4;

  /** Kinds of weight formats. */
  enum Type {
    NF4,
    FP4,
    INT8
  }

  @Option(
      names = "--double-quant",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description = "In four bits, quantise the scales too (default), or not.")
  private boolean doubleQuant;

  @Option(
      names = "--blocksize",
      paramLabel = "N",
      defaultValue = "64",
      description =
          "In four bits, weights that share one scale (default 64). transformers makes 64 only; it reads others as far as its"
              + " bitsandbytes does.")
  private int blockSize;

  @Option(
      names = "--group-size",
      paramLabel = "N",
      defaultValue = "128",
      description =
          "In int8, inputs that share a scale and a zero point (default 128). Divides the inputs of every linear map.")
  private int groupSize;

  @Option(
      names = "--compute-dtype",
      paramLabel = "DTYPE",
      defaultValue = "bfloat16",
      description =
          "In four bits, what transformers shall compute in: bfloat16 (default), float16 or float32. Goes into"
              + " config.json.")
  private ComputeType computeDtype = ComputeType.BFLOAT16;

  /** As config.json names them. */
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
          "Linear maps to leave as they are, besides the output head: last names or whole paths, with commas.")
  private List<String> skip = new ArrayList<>();

  @Option(
      names = "--max-shard-size",
      paramLabel = "SIZE",
      defaultValue = "5GB",
      converter = ByteSize.Converter.class,
      description = "The most bytes of one file (default ${DEFAULT-VALUE}).")
  private ByteSize maxShardSize = ByteSize.parse("5GB");

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads; 0 for one a core (default).")
  private int threads;

  @Option(names = "--overwrite", description = "Replace a model that OUT holds.")
  private boolean overwrite;

  @Override
  public Integer call() {
    if (threads < 0) {
      throw new ParameterException(
          spec.commandLine(), "--threads: expected 0 or more, got " + threads);
    }
    Console console = Console.standard();
    WeightFormat format = format();
    Quantizer.Result result =
        Nibble.reportingTo(event -> Activities.show(event, console))
            .quantize(
                new Quantizer.Request(
                    model,
                    output,
                    overwrite,
                    format,
                    computeDtype.dtype,
                    skip,
                    maxShardSize.bytes(),
                    threads));
    console.line(
        "  %d of %d linear maps in %s: %s in %d %s in %s"
            .formatted(
                result.quantized(),
                result.linearMaps(),
                format.describe(),
                Human.bytes(result.bytes()),
                result.files(),
                result.files() == 1 ? "file" : "files",
                Paths.shown(output)));
    return ExitCode.OK;
  }

  private WeightFormat format() {
    if (type == Type.INT8) {
      refuse("int8", "--blocksize", "--double-quant", "--compute-dtype");
      if (groupSize < 1) {
        throw new ParameterException(
            spec.commandLine(), "--group-size: expected 1 or more, got " + groupSize);
      }
      return new Int8Format(groupSize);
    }
    refuse("nf4 and fp4", "--group-size");
    if (!FourBitFormat.BLOCK_SIZES.contains(blockSize)) {
      throw new ParameterException(
          spec.commandLine(),
          "--blocksize: expected one of %s, got %d"
              .formatted(FourBitFormat.BLOCK_SIZES, blockSize));
    }
    return new FourBitFormat(
        type == Type.NF4 ? QuantType.NF4 : QuantType.FP4, blockSize, doubleQuant);
  }

  private void refuse(String types, String... options) {
    for (String option : options) {
      if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
        throw new ParameterException(
            spec.commandLine(), "%s: not for --type %s; remove it".formatted(option, types));
      }
    }
  }
}
