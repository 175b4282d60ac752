package dev.nibble.cli;

import dev.nibble.cli.bench.BenchResult;
import dev.nibble.cli.bench.BenchRun;
import dev.nibble.cli.bench.BenchShape;
import dev.nibble.cli.terminal.Console;
import dev.nibble.recipes.schema.AutoFlag;
import java.io.OutputStream;
import java.io.PrintStream;
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
    header = "Measure how fast QLoRA steps are on this machine.",
    description = {
      "%nTrains a model of random weights for a few steps: NF4 with double quantisation, rank 16 on all linear layers,"
          + " AdamW, gradient checkpointing. Nothing is read or written."
    },
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "Examples:",
      "  nibble bench --shape tiny",
      "  nibble bench --shape 7b --seq 512 --steps 3 --json"
    })
final class BenchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--shape",
      paramLabel = "SHAPE",
      defaultValue = "tiny",
      converter = ShapeConverter.class,
      description =
          "A Llama of 14 million weights (tiny, the default), 1.1 (1b) or 6.7 billion (7b).")
  private BenchShape shape = BenchShape.TINY;

  @Option(
      names = "--seq",
      paramLabel = "N",
      defaultValue = "512",
      description = "Tokens of a sample (default ${DEFAULT-VALUE}).")
  private int seq;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "3",
      description = "Steps to measure, after one that warms up (default ${DEFAULT-VALUE}).")
  private int steps;

  @Option(
      names = "--micro-batch",
      paramLabel = "N",
      defaultValue = "1",
      description = "Samples of a step (default ${DEFAULT-VALUE}).")
  private int microBatch;

  @Option(
      names = "--gradient-checkpointing",
      paramLabel = "WHEN",
      defaultValue = "auto",
      description =
          "Layers compute their activations again: all (true), none (false), or those whose activations do not fit into memory"
              + " (auto, the default).")
  private AutoFlag checkpointing = AutoFlag.AUTO;

  @Mixin private MachineOptions machine = new MachineOptions();

  @Option(names = "--json", description = "Print one line of JSON and nothing else.")
  private boolean json;

  @Override
  public Integer call() {
    atLeast("--seq", seq, 2);
    atLeast("--steps", steps, 1);
    atLeast("--micro-batch", microBatch, 1);
    atLeast("--threads", machine.threads(), 0);
    Console silent = new Console(new PrintStream(OutputStream.nullOutputStream()), false, false);
    Console console = Console.standard();
    BenchResult result =
        new BenchRun(
                new BenchRun.Request(
                    shape, seq, steps, microBatch, checkpointing, machine.machine()),
                json ? silent : console)
            .run();
    if (json) {
      console.line(result.json());
    }
    return ExitCode.OK;
  }

  private void atLeast(String option, int value, int least) {
    if (value < least) {
      throw new ParameterException(
          spec.commandLine(), "%s: expected %d or more, got %d".formatted(option, least, value));
    }
  }

  /** For picocli. */
  static final class ShapeConverter implements ITypeConverter<BenchShape> {
    @Override
    public BenchShape convert(String text) {
      return BenchShape.named(text)
          .orElseThrow(
              () -> new TypeConversionException("'" + text + "' is none of tiny, 1b and 7b"));
    }
  }
}
