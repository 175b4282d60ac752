package dev.nibble.cli;

import dev.nibble.cli.bench.BenchRun;
import dev.nibble.cli.bench.BenchShape;
import dev.nibble.cli.bench.BenchSize;
import dev.nibble.cli.terminal.Console;
import dev.nibble.compute.kernels.KernelOptions.Debug;
import dev.nibble.quant.CalibratedFormat;
import dev.nibble.quant.named.FormatNames;
import dev.nibble.recipes.schema.AutoFlag;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code nibble bench}. */
@Command(
    name = "bench",
    header = "Measure the speed of QLoRA training on this machine.",
    description = {
      "%nTrains a model with random weights for a few steps: rank 16 on all linear layers, AdamW, gradient checkpointing."
          + " Nothing is read or written."
    },
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "Examples:",
      "  nibble bench --shape tiny",
      "  nibble bench --shape 7b --seq 512 --steps 3 --json",
      "  nibble bench --shape 1b --format hqq-4",
      "  nibble bench --shape 7b --seq 2048x4,512 --gradient-checkpointing true,auto --profile"
    })
final class BenchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--shape",
      paramLabel = "SHAPE",
      defaultValue = "tiny",
      converter = ShapeConverter.class,
      description =
          "A Llama with 16 million (tiny, the default), 1.1 billion (1b) or 6.7 billion weights (7b).")
  private BenchShape shape = BenchShape.TINY;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "nf4",
      description =
          "Format of the frozen weights, as compare names them: nf4 (default), fp4, int8, hqq-4, rtn-2, full and others.")
  private String format = "nf4";

  @Option(
      names = "--seq",
      paramLabel = "SIZE",
      defaultValue = "512",
      split = ",",
      converter = SizeConverter.class,
      description =
          "Tokens in each sample, and samples in each step: 512 (default), or 2048x4 for four samples of 2048 tokens. Several,"
              + " separated by commas, are measured one after another.")
  private List<BenchSize> sizes = List.of();

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "3",
      description = "Steps to measure after one warm-up step (default ${DEFAULT-VALUE}).")
  private int steps;

  @Option(
      names = "--gradient-checkpointing",
      paramLabel = "WHEN",
      defaultValue = "auto",
      split = ",",
      description =
          "Recompute activations in the backward pass: of all layers (true), of none (false), or of those whose activations"
              + " do not fit in memory (auto, the default). Several, separated by commas, are measured with each size.")
  private List<AutoFlag> checkpointing = List.of();

  @Option(
      names = "--profile",
      description = "Time each kernel in one more step, and show the table.")
  private boolean profile;

  @Mixin private MachineOptions machine = new MachineOptions();

  @Option(names = "--json", description = "Print a line of JSON for each result and nothing else.")
  private boolean json;

  @Override
  public Integer call() {
    sizes.forEach(size -> Arguments.atLeast(spec, "--seq", size.seq(), 2));
    Arguments.atLeast(spec, "--steps", steps, 1);
    Arguments.atLeast(spec, "--threads", machine.threads(), 0);
    try (Console console = Console.standard()) {
      BenchRun.Request request =
          new BenchRun.Request(
              shape,
              named(),
              sizes,
              checkpointing,
              steps,
              machine.machine(profile ? Debug.PROFILE : Debug.NONE));
      new BenchRun(request, json ? Console.silent() : console)
          .run(result -> {
            if (json) {
              console.line(result.json());
            }
          });
    }
    return ExitCode.OK;
  }

  /** The format's name, which must be one that random weights can be brought to. */
  private String named() {
    String name = Arguments.ofFormats(spec, "--format", () -> FormatNames.normal(format));
    if (FormatNames.parse(name).orElse(null) instanceof CalibratedFormat) {
      throw new ParameterException(
          spec.commandLine(),
          "--format: %s is fitted to data, of which random weights have none; rtn-BITS has the same form and speed"
              .formatted(name));
    }
    return name;
  }

  /** Picocli's converter of {@code --seq}. */
  static final class SizeConverter implements ITypeConverter<BenchSize> {
    @Override
    public BenchSize convert(String text) {
      return BenchSize.parse(text)
          .orElseThrow(() ->
              new TypeConversionException(
                  "'"
                      + text
                      + "' is no size; expected tokens, as 512, or tokens x samples, as 2048x4"));
    }
  }

  /** Picocli's converter of {@code --shape}. */
  static final class ShapeConverter implements ITypeConverter<BenchShape> {
    @Override
    public BenchShape convert(String text) {
      return BenchShape.named(text)
          .orElseThrow(
              () -> new TypeConversionException("'" + text + "' is none of tiny, 1b and 7b"));
    }
  }
}
