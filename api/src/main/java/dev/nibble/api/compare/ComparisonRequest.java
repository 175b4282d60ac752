package dev.nibble.api.compare;

import dev.nibble.quant.named.FormatNames;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.plan.FormatPlan;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;

/**
 * A request to compare weight formats.
 *
 * @param recipe whose base model is brought to them, and whose validation data it is measured on
 * @param formats names, such as {@code nf4} or {@code hqq-2-g16}, and files of plans, such as
 *     {@code plan.json}; {@code full} is always with them, and first
 * @param train whether the recipe's adapter is also trained on each
 * @param output folder of the table and the picture
 */
public record ComparisonRequest(Recipe recipe, List<String> formats, boolean train, Path output) {

  /**
   * Checks the names.
   *
   * @throws dev.nibble.quant.named.UnknownFormat when no format has one of them
   */
  public ComparisonRequest {
    SequencedSet<String> names = new LinkedHashSet<>();
    names.add(FormatNames.FULL);
    for (String name : formats) {
      names.add(FormatPlan.isFile(name) ? name : FormatNames.normal(name));
    }
    formats = List.copyOf(names);
  }

  /** A comparison whose folder is beside the recipe's own: {@code compare-} and its name. */
  public static ComparisonRequest of(Recipe recipe, List<String> formats, boolean train) {
    Path run = recipe.output().folder();
    return new ComparisonRequest(
        recipe, formats, train, run.resolveSibling("compare-" + run.getFileName()));
  }
}
