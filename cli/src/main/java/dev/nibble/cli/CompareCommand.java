package dev.nibble.cli;

import dev.nibble.api.Nibble;
import dev.nibble.api.compare.ComparisonRequest;
import dev.nibble.api.compare.FormatComparison;
import dev.nibble.api.event.Event;
import dev.nibble.cli.report.CompareReport;
import dev.nibble.cli.terminal.Console;
import dev.nibble.recipes.recipe.Recipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code nibble compare}. */
@Command(
    name = "compare",
    header = "Compare weight formats on a recipe's base model.",
    description = {
      "%nBrings the base model to one format after another, as it is first (full), and measures each: bits of a weight, size,"
          + " error of weights and outputs, perplexity on the recipe's validation rows (val_set_size or test_datasets),"
          + " time to quantise and speed of training steps. Writes compare.md, compare.svg and compare.jsonl."
    },
    parameterListHeading = "%nArguments:%n",
    optionListHeading = "%nOptions:%n",
    footer = {
      "",
      "Examples:",
      "  nibble compare my.yaml",
      "  nibble compare my.yaml --formats nf4,hqq-4,hqq-2-g16 --train"
    })
final class CompareCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private RecipeArguments recipe = new RecipeArguments();

  @Option(
      names = "--formats",
      paramLabel = "FORMAT",
      split = ",",
      defaultValue = "nf4,fp4,int4,int8-g64,hqq-4,hqq-3,hqq-2",
      description = {
        "Formats, separated by commas (default ${DEFAULT-VALUE}); full is always with them.",
        "nf4, fp4: as QLoRA has them; e2m1, nf3, nf2, int4, int3, int2: other tables of values with the same scales."
            + " Each may be followed by a block size, and by -plain for scales in float32: nf4-128-plain.",
        "int8, hqq-BITS, rtn-BITS: integers with zero points, fitted to the weights (hqq) or not (rtn)."
            + " Each may be followed by a group size: hqq-2-g16.",
        "gptq-BITS: the same, fitted to 128 samples of the recipe's training data.",
        "FILE.json: a format for each matrix, as nibble plan writes it."
      })
  private List<String> formats = new ArrayList<>();

  @Option(
      names = "--train",
      description = "Also train the recipe's adapter on each format, and measure again.")
  private boolean train;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FOLDER",
      description =
          "Folder to write (default: beside the recipe's output_dir, compare- and its name).")
  private @Nullable Path output;

  @Option(
      names = "--json",
      description = "Print one line of JSON for each format and nothing else.")
  private boolean json;

  @Override
  public Integer call() {
    try (Console console = Console.standard()) {
      return compare(console).isComplete() ? ExitCode.OK : ExitCode.FAILED;
    }
  }

  private FormatComparison compare(Console console) {
    ComparisonRequest request = request(recipe.read());
    if (json) {
      return Nibble.reportingTo(
              event -> {
                if (event instanceof Event.FormatCompared e) {
                  console.line(e.result().json());
                }
              })
          .compare(request);
    }
    CompareReport report = new CompareReport(request, console);
    FormatComparison comparison = Nibble.reportingTo(report).compare(request);
    report.finished(comparison);
    return comparison;
  }

  private ComparisonRequest request(Recipe read) {
    return Arguments.ofFormats(
        spec,
        "--formats",
        () ->
            output == null
                ? ComparisonRequest.of(read, formats, train)
                : new ComparisonRequest(read, formats, train, output));
  }
}
