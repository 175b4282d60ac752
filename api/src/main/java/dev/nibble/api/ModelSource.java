package dev.nibble.api;

import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.run.RunDirectory;
import dev.nibble.trainer.run.RunException;
import dev.nibble.trainer.run.TrainedWeights;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Source of a model: a recipe, and the folder of its run if there is one.
 *
 * @param recipe that describes it
 * @param run the folder with the trained weights: a run's folder, or that of a checkpoint; empty
 *     for the model that the recipe starts from
 */
public record ModelSource(Recipe recipe, Optional<Path> run) {
  /** The model that a recipe starts from. */
  public static ModelSource untrained(Recipe recipe) {
    return new ModelSource(recipe, Optional.empty());
  }

  /**
   * The model that a recipe's run gave, in the recipe's output folder.
   *
   * @throws RunException when the run has saved nothing yet, or the base model has changed since
   */
  public static ModelSource tuned(Recipe recipe) {
    return tuned(recipe, recipe.output().folder());
  }

  /**
   * The model that a run gave, or what it has saved so far.
   *
   * @param run its output folder, wherever it lies now, or the folder of a checkpoint in it
   * @throws RecipeException when it is no such folder
   * @throws RunException when the run has saved nothing yet, or the base model has changed since
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
    Path recipe = runOf(run).resolve(RunDirectory.RECIPE);
    return tuned(Recipes.read(recipe, overrides), run);
  }

  private static ModelSource tuned(Recipe recipe, Path place) {
    runOf(place);
    TrainedWeights weights = TrainedWeights.in(place, recipe.output().best());
    RunInputs.requireModelOf(weights.run(), recipe);
    return new ModelSource(recipe, Optional.of(weights.folder()));
  }

  private static Path runOf(Path place) {
    return TrainedWeights.runOf(place)
        .orElseThrow(() ->
            new RecipeException(
                "%s is not a Nibble run (no %s). Give a run's output_dir, a checkpoint in it, or a recipe file"
                    .formatted(place, RunDirectory.RECIPE)));
  }
}
