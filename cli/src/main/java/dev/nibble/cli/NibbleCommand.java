package dev.nibble.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code nibble}. */
@Command(
    name = "nibble",
    header = "Fine-tunes large language models with QLoRA.",
    synopsisSubcommandLabel = "COMMAND",
    commandListHeading = "%nCommands:%n",
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed, with a message that says why",
      "2:wrong usage, or an error in the recipe",
      "130:interrupted by Ctrl-C",
      "143:terminated by SIGTERM"
    },
    footer = {
      "",
      "A first run, with the model and data that come with Nibble:",
      "  nibble train recipes/quickstart.yaml",
      "",
      "All keys of a recipe: docs/recipes.md"
    },
    versionProvider = Version.class,
    subcommands = {
      TrainCommand.class,
      PreviewCommand.class,
      EstimateCommand.class,
      EvalCommand.class,
      GenerateCommand.class,
      ChatCommand.class,
      ExportCommand.class,
      QuantizeCommand.class,
      CompareCommand.class,
      PlanCommand.class,
      BenchCommand.class,
      DoctorCommand.class,
      HelpCommand.class
    })
final class NibbleCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show stack traces and the logs of libraries.")
  boolean debug;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the version.")
  @SuppressWarnings("UnusedVariable") // picocli acts on it
  private boolean version;

  /** Without a command there is only help. */
  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }
}
