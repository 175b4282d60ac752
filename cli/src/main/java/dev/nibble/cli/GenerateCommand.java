package dev.nibble.cli;

import dev.nibble.api.Model;
import dev.nibble.api.Nibble;
import dev.nibble.api.Prompt;
import dev.nibble.api.Sampling;
import dev.nibble.cli.terminal.Console;
import dev.nibble.trainer.generate.Sampler;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code nibble generate}. */
@Command(
    name = "generate",
    header = "Let a run's model continue a prompt.",
    parameterListHeading = "%nArguments:%n",
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "Examples:",
      "  nibble generate outputs/quickstart --input \"a large feline of tropical America\"",
      "  nibble generate outputs/my-run --prompt \"Once upon a time\" --temperature 0.8"
    })
final class GenerateCommand implements Callable<Integer> {
  private static final int PASS_TOKENS = 512;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private RunArguments run = new RunArguments();

  @ArgGroup(multiplicity = "1")
  private Text text = new Text();

  /** What to continue: as it is, or as a row of the training data. */
  static final class Text {
    @Option(
        names = "--prompt",
        paramLabel = "TEXT",
        description = "The text to continue, as it is.")
    @Nullable String prompt;

    @ArgGroup(exclusive = false)
    @Nullable Row row;
  }

  /** Columns of an alpaca row. */
  static final class Row {
    @Option(
        names = "--input",
        paramLabel = "TEXT",
        description = "Ask as the training data did: the input of the recipe's prompt.")
    @Nullable String input;

    @Option(
        names = "--instruction",
        paramLabel = "TEXT",
        description = "Ask as the training data did: the instruction of the recipe's prompt.")
    @Nullable String instruction;
  }

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      defaultValue = "128",
      description = "The most tokens to generate (default ${DEFAULT-VALUE}).")
  private int maxNewTokens;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "0",
      description = "0 takes the likeliest token each time; higher is more varied (default 0).")
  private double temperature;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      defaultValue = "1",
      description = "Draw from the likeliest tokens that together have this probability.")
  private double topP;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "0",
      description = "Draw from so many of the likeliest tokens; 0 for all.")
  private int topK;

  @Option(
      names = "--seed",
      paramLabel = "SEED",
      defaultValue = "0",
      description = "Decides what is drawn (default 0).")
  private long seed;

  @Override
  public Integer call() {
    if (maxNewTokens < 1) {
      throw usage("--max-new-tokens: expected 1 or more, got " + maxNewTokens);
    }
    Sampling sampling = new Sampling(sampler(), seed, maxNewTokens);
    Console console = Console.standard();
    try (Model model = Nibble.silent().open(run.read(), PASS_TOKENS)) {
      model.generate(prompt(), sampling, console::part);
      console.line("");
    }
    return ExitCode.OK;
  }

  private Sampler sampler() {
    try {
      return temperature == 0 ? new Sampler.Greedy() : new Sampler.Random(temperature, topK, topP);
    } catch (IllegalArgumentException e) {
      throw usage(String.valueOf(e.getMessage()));
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private Prompt prompt() {
    if (text.prompt != null) {
      return new Prompt.Text(text.prompt);
    }
    Row row = text.row == null ? new Row() : text.row;
    return new Prompt.Row(
        row.instruction == null ? "" : row.instruction, row.input == null ? "" : row.input);
  }
}
