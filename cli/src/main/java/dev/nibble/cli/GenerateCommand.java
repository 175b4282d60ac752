package dev.nibble.cli;

import dev.nibble.api.Model;
import dev.nibble.api.Nibble;
import dev.nibble.api.Prompt;
import dev.nibble.api.Sampling;
import dev.nibble.cli.report.Activities;
import dev.nibble.cli.terminal.Console;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
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
    header = "Generate text with a trained model.",
    description = {
      "%nContinues a prompt, or answers a question in the form of the training data. Without --prompt, --input and"
          + " --instruction the prompt is read from standard input."
    },
    parameterListHeading = "%nArguments:%n",
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "Examples:",
      "  nibble generate outputs/quickstart --input \"a large feline of tropical America\"",
      "  nibble generate outputs/my-run --prompt \"Once upon a time\" --temperature 0.8",
      "  nibble generate outputs/my-run < prompt.txt"
    })
final class GenerateCommand implements Callable<Integer> {
  private static final int PASS_TOKENS = 512;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private RunArguments run = new RunArguments();

  @ArgGroup private @Nullable Text text;

  /** The text to continue, or a row in the form of the training data. */
  static final class Text {
    @Option(
        names = "--prompt",
        paramLabel = "TEXT",
        description = "Text to continue, passed to the model unchanged.")
    @Nullable String prompt;

    @ArgGroup(exclusive = false)
    @Nullable Row row;
  }

  /** Columns of an alpaca row. */
  static final class Row {
    @Option(
        names = "--input",
        paramLabel = "TEXT",
        description = "Input of a question in the form of the training data.")
    @Nullable String input;

    @Option(
        names = "--instruction",
        paramLabel = "TEXT",
        description = "Instruction of a question in the form of the training data.")
    @Nullable String instruction;
  }

  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      defaultValue = "128",
      description = "Largest number of tokens to generate (default ${DEFAULT-VALUE}).")
  private int maxNewTokens;

  @Mixin private SamplingOptions sampling = new SamplingOptions();

  @Override
  public Integer call() {
    Arguments.atLeast(spec, "--max-new-tokens", maxNewTokens, 1);
    Sampling how = sampling.upTo(maxNewTokens).sampling();
    Prompt prompt = prompt();
    try (Console console = Console.standard()) {
      Nibble nibble = Nibble.reportingTo(event -> Activities.show(event, console));
      try (Model model = nibble.open(run.read(), PASS_TOKENS)) {
        model.generate(prompt, how, console::answer);
        console.line("");
      }
    }
    return ExitCode.OK;
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private Prompt prompt() {
    if (text == null) {
      return new Prompt.Text(piped());
    }
    if (text.prompt != null) {
      return new Prompt.Text(text.prompt);
    }
    Row row = text.row == null ? new Row() : text.row;
    return new Prompt.Row(
        row.instruction == null ? "" : row.instruction, row.input == null ? "" : row.input);
  }

  /** Standard input without the line break at its end, unless a person sits at it. */
  private String piped() {
    if (!Boolean.getBoolean("nibble.piped")) {
      throw usage(
          "say what to generate from: --prompt TEXT to continue a text, --input TEXT to ask as the training data do, or"
              + " pipe a prompt to standard input");
    }
    try {
      String all = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
      return all.replaceFirst("\\R\\z", "");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
