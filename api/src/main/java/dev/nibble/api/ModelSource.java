package dev.nibble.api;

import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.run.RunDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Where a model comes from.
 *
 * @param recipe that describes it
 * @param run the folder with what training gave; empty for the model that the recipe starts from
 */
public record ModelSource(Recipe recipe, Optional<Path> run) {
  /** The model that a recipe starts from. */
  public static ModelSource untrained(Recipe recipe) {
    return new ModelSource(recipe, Optional.empty());
  }

  /** The model that a recipe's run gave, in the recipe's output folder. */
  public static ModelSource tuned(Recipe recipe) {
    return new ModelSource(recipe, Optional.of(recipe.output().folder()));
  }

  /**
   * The model that a run gave.
   *
   * @param run its output folder, wherever it lies now
   * @throws RecipeException when it is no such folder
   */
  public static ModelSource tuned(Path run) {
    return tuned(run, List.of());
  }

  /**
   * The same with other values for some keys of its recipe.
   *
   * @param overrides {@code key=value} each
   */
  public static ModelSource tuned(Path run, List<String> overrides) {
    Path file = run.resolve(RunDirectory.RECIPE);
    if (!Files.isRegularFile(file)) {
      throw new RecipeException(
          "%s: holds no %s, so it is no run; expected the output_dir of one, or a recipe"
              .formatted(run, RunDirectory.RECIPE));
    }
    return new ModelSource(
        Recipes.read(file, overrides), Optional.of(run.toAbsolutePath().normalize()));
  }
}
