package dev.nibble.cli;

import dev.nibble.api.Nibble;
import dev.nibble.api.plan.PlanBudget;
import dev.nibble.api.plan.PlanRequest;
import dev.nibble.cli.report.PlanReport;
import dev.nibble.cli.terminal.Console;
import dev.nibble.recipes.recipe.Recipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code nibble plan}. */
@Command(
    name = "plan",
    header = "Choose a weight format for each matrix under a budget.",
    description = {
      "%nMeasures on the recipe's training data how much each matrix of its base model matters, chooses format and block size of"
          + " each so that all fit in the budget and the outputs change least, and writes the plan to a file. A recipe takes it as"
          + " quantization_plan, and nibble compare as a format."
    },
    parameterListHeading = "%nArguments:%n",
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "Examples:",
      "  nibble plan my.yaml --bits 3.5",
      "  nibble plan my.yaml --size 3GB --formats nf4-64,nf4-256,hqq-3,hqq-2-g16 -o small.json"
    })
final class PlanCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private RecipeArguments recipe = new RecipeArguments();

  @ArgGroup(multiplicity = "1")
  private Budget budget = new Budget();

  /** One of two budgets. */
  static final class Budget {
    @Option(
        names = "--bits",
        paramLabel = "N",
        description =
            "Most bits of a weight on average over the linear layers inside the blocks, with scales and zero points: 3.5.")
    private @Nullable Double bits;

    @Option(
        names = "--size",
        paramLabel = "SIZE",
        converter = ByteSize.Converter.class,
        description = "Most bytes of these layers together: 3GB or 3200MiB.")
    private @Nullable ByteSize size;
  }

  @Option(
      names = "--formats",
      paramLabel = "FORMAT",
      split = ",",
      description =
          "Formats to choose from, named as for nibble compare and separated by commas (default: nf4 and nf3 in blocks of several"
              + " sizes, hqq of 8 to 2 bits). Those fitted to data (gptq) are not for plans.")
  private List<String> formats = new ArrayList<>();

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "4096",
      description = "Tokens of the training data to measure on (default ${DEFAULT-VALUE}).")
  private int tokens;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description =
          "File to write (default: beside the recipe's output_dir, plan- and its name, .json).")
  private @Nullable Path output;

  @Option(names = "--overwrite", description = "Replace the file.")
  private boolean overwrite;

  @Override
  public Integer call() {
    Arguments.atLeast(spec, "--tokens", tokens, 1);
    PlanBudget most = budget();
    Recipe read = recipe.read();
    PlanRequest request =
        Arguments.ofFormats(
            spec,
            "--formats",
            () ->
                new PlanRequest(
                    read,
                    formats.isEmpty() ? PlanRequest.DEFAULT_FORMATS : formats,
                    most,
                    tokens,
                    output == null ? beside(read.output().folder()) : output,
                    overwrite));
    try (Console console = Console.standard()) {
      PlanReport report = new PlanReport(read, recipe.asWritten(), console);
      report.finished(Nibble.reportingTo(report).plan(request));
    }
    return ExitCode.OK;
  }

  private static Path beside(Path run) {
    return run.resolveSibling("plan-" + run.getFileName() + ".json");
  }

  private PlanBudget budget() {
    if (budget.size != null) {
      return new PlanBudget.Bytes(budget.size.bytes());
    }
    double bits = budget.bits == null ? 0 : budget.bits;
    if (!(bits > 0) || Double.isInfinite(bits)) {
      throw new ParameterException(
          spec.commandLine(), "--bits: expected a positive number, got " + bits);
    }
    return new PlanBudget.Bits(bits);
  }
}
