package dev.nibble.cli;

import dev.nibble.api.Nibble;
import dev.nibble.api.export.Quantizer;
import dev.nibble.api.text.Human;
import dev.nibble.api.text.Paths;
import dev.nibble.cli.report.Activities;
import dev.nibble.cli.terminal.Console;
import dev.nibble.compute.tensor.DType;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
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
    header = "Write a model in four bits, for transformers with bitsandbytes.",
    description = {
      "%nPuts the linear maps inside a model's blocks in NF4 or FP4, as QLoRA training does, and copies the rest. What"
          + " it writes is a base for a recipe, too. One tensor at a time is in memory."
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
      description = "The sixteen values a weight can take: nf4 (default) or fp4.")
  private QuantType type = QuantType.NF4;

  @Option(
      names = "--double-quant",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description = "Quantise the scales too (default), or not.")
  private boolean doubleQuant;

  @Option(
      names = "--blocksize",
      paramLabel = "N",
      defaultValue = "64",
      description =
          "Weights that share one scale (default 64). transformers makes 64 only; it reads others as far as its"
              + " bitsandbytes does.")
  private int blockSize;

  @Option(
      names = "--compute-dtype",
      paramLabel = "DTYPE",
      defaultValue = "bfloat16",
      description =
          "What transformers shall compute in: bfloat16 (default), float16 or float32. Goes into config.json.")
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
    if (!FourBitFormat.BLOCK_SIZES.contains(blockSize)) {
      throw new ParameterException(
          spec.commandLine(),
          "--blocksize: expected one of %s, got %d"
              .formatted(FourBitFormat.BLOCK_SIZES, blockSize));
    }
    if (threads < 0) {
      throw new ParameterException(
          spec.commandLine(), "--threads: expected 0 or more, got " + threads);
    }
    Console console = Console.standard();
    FourBitFormat format = new FourBitFormat(type, blockSize, doubleQuant);
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
}
