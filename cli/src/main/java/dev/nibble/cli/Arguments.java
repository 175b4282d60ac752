package dev.nibble.cli;

import dev.nibble.quant.named.UnknownFormat;
import dev.nibble.quant.plan.UnplannableFormat;
import java.util.function.Supplier;
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

  /**
   * What is made of an option's names of weight formats, of which unknown and unfit ones are
   * refused.
   */
  static <T> T ofFormats(CommandSpec command, String option, Supplier<T> made) {
    try {
      return made.get();
    } catch (UnknownFormat | UnplannableFormat e) {
      throw new ParameterException(
          command.commandLine(), "%s: %s".formatted(option, e.getMessage()), e);
    }
  }
}
