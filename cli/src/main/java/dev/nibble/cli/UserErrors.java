package dev.nibble.cli;

import dev.nibble.compute.files.FileProblem;
import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;

/** Texts of errors for users. */
final class UserErrors {
  private UserErrors() {}

  /** The text to print, one or more lines. */
  static String text(Throwable e) {
    return switch (e) {
      case NibbleException ours when ours.fault() != Fault.BUG -> inRecipeWords(ours);
      case NibbleException ours -> inRecipeWords(ours) + System.lineSeparator() + NOT_YOURS;
      case UncheckedIOException io when io.getCause() != null -> ofFile(io, io.getCause());
      default -> "Nibble failed: " + e + System.lineSeparator() + NOT_YOURS;
    };
  }

  private static final String NOT_YOURS =
      "This is a bug in Nibble, not in your recipe. Run again with --debug for a stack trace, and please report it.";

  private static String inRecipeWords(NibbleException e) {
    return e.remedy().map(remedy -> e.messageWith(RecipeWords.of(remedy))).orElse(e.problem());
  }

  /** The message of many a cause is a path alone, and that of others was written for users. */
  private static String ofFile(UncheckedIOException e, IOException cause) {
    String message = String.valueOf(e.getMessage());
    boolean pathAlone = cause instanceof FileSystemException || message.equals(cause.toString());
    return pathAlone ? FileProblem.of(e) : message;
  }
}
