package dev.nibble.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** Checks of options' values. */
final class Arguments {
  private Arguments() {}

  /** Refuses a number that is too small. */
  static void atLeast(CommandSpec command, String option, long value, long least) {
    if (value < least) {
      throw new ParameterException(
          command.commandLine(), "%s: expected %d or more, got %d".formatted(option, least, value));
    }
  }
}
