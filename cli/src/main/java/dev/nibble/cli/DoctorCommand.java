package dev.nibble.cli;

import dev.nibble.api.machine.Checkup;
import dev.nibble.api.machine.Finding;
import dev.nibble.cli.terminal.Console;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code nibble doctor}. */
@Command(
    name = "doctor",
    header = "Look at this machine: Java, processor, memory, GPUs, disks.",
    description = {
      "%nSays for each whether it is as it should be, and what to do where it is not. Ends with exit code 0 when something"
          + " here can train."
    },
    optionListHeading = "%nOptions:%n",
    footer = {"", "Example:", "  nibble doctor --json"})
final class DoctorCommand implements Callable<Integer> {
  @Option(names = "--json", description = "Print one line of JSON and nothing else.")
  private boolean json;

  @Override
  public Integer call() {
    Console console = Console.standard();
    Checkup checkup = Checkup.here();
    if (json) {
      console.line(checkup.json());
    } else {
      checkup.findings().forEach(f -> tell(console, f));
      console.line(
          checkup.trains()
              ? "Nibble can train here."
              : "Nibble cannot train here: no kernel set can run.");
    }
    return checkup.trains() ? ExitCode.OK : ExitCode.FAILED;
  }

  private static void tell(Console console, Finding f) {
    String mark =
        switch (f.status()) {
          case OK -> console.green("ok      ");
          case WARNING -> console.bold("warning ");
          case PROBLEM -> console.bold("problem ");
        };
    console.line("  %s %-11s %s".formatted(mark, f.name(), f.text()));
    f.remedy().ifPresent(remedy -> console.line(" ".repeat(23) + "→ " + remedy));
  }
}
