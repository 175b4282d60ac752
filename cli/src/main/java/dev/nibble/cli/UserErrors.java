package dev.nibble.cli;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import java.io.UncheckedIOException;

/** Texts of errors for users. */
final class UserErrors {
  private UserErrors() {}

  /** The text to print, one or more lines. */
  static String text(Throwable e) {
    return switch (e) {
      case NibbleException ours when ours.fault() != Fault.BUG -> inRecipeWords(ours);
      case NibbleException ours -> inRecipeWords(ours) + System.lineSeparator() + NOT_YOURS;
      case UncheckedIOException io when io.getCause() != null ->
          io.getCause().getClass().getSimpleName() + ": " + message(io);
      default -> "Nibble failed: " + e + System.lineSeparator() + NOT_YOURS;
    };
  }

  private static final String NOT_YOURS =
      "This is a bug in Nibble, not in your recipe. Run again with --debug for a stack trace, and please report it.";

  private static String inRecipeWords(NibbleException e) {
    return e.remedy().map(remedy -> e.messageWith(RecipeWords.of(remedy))).orElse(e.problem());
  }

  private static String message(Throwable e) {
    return String.valueOf(e.getMessage());
  }
}
