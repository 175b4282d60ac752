package dev.nibble.api.runs;

import dev.nibble.recipes.recipe.Recipe;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A model to use.
 *
 * @param recipe that describes it
 * @param run folder of what it learned; empty for the model that the recipe starts from
 */
public record RunSubject(Recipe recipe, Optional<Path> run) {}
