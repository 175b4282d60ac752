package dev.nibble.cli;

import dev.nibble.api.machine.Checkup;
import dev.nibble.api.machine.Finding;
import dev.nibble.cli.terminal.Console;
import dev.nibble.cli.terminal.StyledText;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code nibble doctor}. */
@Command(
    name = "doctor",
    header = "Check this machine: Java, processor, memory, GPUs, disks.",
    description = {
      "%nSays for each whether it is fine, and how to fix it if it is not. The exit code is 0 if this machine can train."
    },
    optionListHeading = "%nOptions:%n",
    footer = {"", "Example:", "  nibble doctor --json"})
final class DoctorCommand implements Callable<Integer> {
  private static final int INDENT = 23; // of a finding's text, behind its status and name

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
              : "Nibble cannot train here: it has no kernels that run on this machine.");
    }
    return checkup.trains() ? ExitCode.OK : ExitCode.FAILED;
  }

  private static void tell(Console console, Finding f) {
    StyledText line = new StyledText().plain("  ");
    switch (f.status()) {
      case OK -> line.green("ok      ");
      case WARNING -> line.bold("warning ");
      case PROBLEM -> line.bold("problem ");
    }
    console.entry(line.plain(" %-11s ".formatted(f.name())), INDENT, f.text());
    f.remedy().ifPresent(remedy -> console.sentence(" ".repeat(INDENT) + "→ " + remedy));
  }
}
