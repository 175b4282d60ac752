package dev.nibble.cli;

import dev.nibble.compute.tensor.OutOfDeviceMemory;
import dev.nibble.errors.NearestName;
import dev.nibble.recipes.recipe.RecipeException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.Set;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Entry point of {@code nibble}. */
public final class Main {
  /** Kept here because the log manager forgets loggers that nobody holds. */
  private static final Logger LOGS = Logger.getLogger("");

  private Main() {}

  /** Runs the command line and ends the process with its exit code. */
  public static void main(String[] args) {
    StandardError.leaveFilter();
    StandardError.showControlCharacters();
    boolean debug = Arrays.asList(args).contains("--debug");
    if (!debug) {
      LOGS.setLevel(Level.SEVERE); // logs of libraries
    }
    System.exit(run(args));
  }

  private static int run(String[] args) {
    try {
      return commandLine().execute(args);
    } catch (OutOfDeviceMemory e) {
      System.err.println("Out of memory: " + String.valueOf(e.getMessage()).stripTrailing());
      System.err.println(
          "Lower micro_batch_size, sequence_len or lora_r; set bf16: auto, gradient_checkpointing: true and load_in_4bit: true; nvidia-smi shows the memory of other programs. More in docs/troubleshooting.md.");
      return ExitCode.FAILED;
    } catch (OutOfMemoryError e) {
      System.err.println("Out of memory: " + e.getMessage());
      System.err.println(
          "Lower micro_batch_size or sequence_len; NIBBLE_OPTS=-Xmx8g enlarges Java's heap. More in docs/troubleshooting.md.");
      return ExitCode.FAILED;
    }
  }

  /** The command line with its error handling. */
  static CommandLine commandLine() {
    CommandLine commandLine = new CommandLine(new NibbleCommand());
    commandLine.addMixin("help", new HelpOption());
    commandLine.getSubcommands().values().stream()
        .filter(command -> !(command.getCommand() instanceof HelpCommand))
        .forEach(command -> command.addMixin("help", new HelpOption()));
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    commandLine.setParameterExceptionHandler((e, args) -> {
      PrintWriter err = e.getCommandLine().getErr();
      err.println(message(e));
      err.println("Try '" + e.getCommandLine().getCommandSpec().qualifiedName() + " --help'.");
      return ExitCode.USAGE;
    });
    commandLine.setExecutionExceptionHandler(Main::failed);
    return commandLine;
  }

  /** The message, for an unknown command or option with the nearest one that there is. */
  private static String message(ParameterException e) {
    if (!(e instanceof UnmatchedArgumentException unmatched)
        || unmatched.getUnmatched().isEmpty()) {
      return String.valueOf(e.getMessage());
    }
    String given = unmatched.getUnmatched().getFirst();
    CommandLine command = e.getCommandLine();
    Set<String> commands = command.getSubcommands().keySet();
    if (given.startsWith("-")) {
      String option = given.replaceFirst("=.*", "");
      return "unknown option '%s'.%s"
          .formatted(
              option, NearestName.hint(command.getCommandSpec().optionsMap().keySet(), option));
    }
    return commands.isEmpty()
        ? "unexpected argument '%s'".formatted(given)
        : "unknown command '%s'.%s Commands: %s"
            .formatted(given, NearestName.hint(commands, given), String.join(", ", commands));
  }

  private static int failed(Exception e, CommandLine commandLine, ParseResult parsed) {
    PrintWriter err = commandLine.getErr();
    if (isDebug(parsed)) {
      e.printStackTrace(err);
    } else {
      err.println(UserErrors.text(e));
    }
    err.flush();
    return e instanceof RecipeException ? ExitCode.USAGE : ExitCode.FAILED;
  }

  private static boolean isDebug(ParseResult parsed) {
    return parsed.commandSpec().root().userObject() instanceof NibbleCommand c && c.debug;
  }
}
