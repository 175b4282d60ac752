package dev.nibble.api.comparing;

import dev.nibble.quant.WeightFormat;
import dev.nibble.recipes.recipe.Recipe;
import java.nio.file.Path;
import java.util.Optional;

/** The same recipe with its base in another format, and nothing that a comparison leaves out. */
final class RecipeInFormat {
  private RecipeInFormat() {}

  /**
   * A recipe like another.
   *
   * @param base the folder of the base
   * @param format empty for a base as it is stored
   * @param folder for what the optimizer does not keep in memory
   */
  static Recipe of(Recipe r, Path base, Optional<WeightFormat> format, Path folder) {
    Recipe.Model model = r.model();
    Recipe.Output output = r.output();
    return new Recipe(
        new Recipe.Model(
            base, model.init(), model.adapter(), format, Optional.empty(), model.adapterSource()),
        r.data(),
        r.training(),
        r.optimization(),
        new Recipe.Evaluation(false, 0, 0, Optional.empty()),
        new Recipe.Output(
            folder,
            output.overwrite(),
            output.saveSteps(),
            output.saveLimit(),
            output.best(),
            output.saveDType(),
            output.loggingSteps()),
        r.machine());
  }
}
