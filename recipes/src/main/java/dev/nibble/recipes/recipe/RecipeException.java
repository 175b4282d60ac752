package dev.nibble.recipes.recipe;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.recipes.schema.Problem;
import java.util.List;
import java.util.stream.Collectors;

/** A recipe that cannot be used; the message holds every problem, one a line. */
public final class RecipeException extends NibbleException {
  private static final long serialVersionUID = 1;

  /** The message alone, when there is nothing to point at. */
  public RecipeException(String message) {
    super(Fault.USER, message);
  }

  RecipeException(List<Problem> problems) {
    super(Fault.USER, problems.stream().map(Problem::toString).collect(Collectors.joining("\n")));
  }
}
