package dev.nibble.recipes.wiring;

import dev.nibble.recipes.recipe.Recipe;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A model to use.
 *
 * @param recipe that describes it
 * @param run folder of what it learned; empty for the model that the recipe starts from
 */
public record TrainedModel(Recipe recipe, Optional<Path> run) {}
