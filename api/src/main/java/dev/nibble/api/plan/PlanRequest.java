package dev.nibble.api.plan;

import dev.nibble.quant.named.FormatNames;
import dev.nibble.quant.plan.PlannedFormat;
import dev.nibble.recipes.recipe.Recipe;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;

/**
 * A request to choose a weight format for each matrix of a base model.
 *
 * @param recipe whose base it is, and whose training data sensitivities are measured on
 * @param formats to choose from, by name, such as {@code nf4-128} or {@code hqq-2-g16}
 * @param budget that the chosen ones must fit in
 * @param tokens of training data to measure on, at most
 * @param output the file to write
 * @param overwrite whether a file there may be replaced
 */
public record PlanRequest(
    Recipe recipe,
    List<String> formats,
    PlanBudget budget,
    int tokens,
    Path output,
    boolean overwrite) {
  /** Enough for the order of sensitivities to settle. */
  public static final int DEFAULT_TOKENS = 4096;

  /** NormalFloat of 4 and 3 bits in blocks of several sizes, HQQ of 4 to 2 bits, and 8 bits. */
  public static final List<String> DEFAULT_FORMATS =
      List.of(
          "nf4-32",
          "nf4-64",
          "nf4-128",
          "nf4-256",
          "nf4-32-plain",
          "nf4-64-plain",
          "nf3-32",
          "nf3-64",
          "nf3-128",
          "hqq-8",
          "hqq-4-g32",
          "hqq-3",
          "hqq-3-g32",
          "hqq-2",
          "hqq-2-g32",
          "hqq-2-g16");

  /**
   * Checks names and number.
   *
   * @throws dev.nibble.quant.named.UnknownFormat when no format has one of the names
   * @throws dev.nibble.quant.plan.UnplannableFormat when no plan can choose one of them
   */
  public PlanRequest {
    SequencedSet<String> names = new LinkedHashSet<>();
    for (String name : formats) {
      names.add(FormatNames.normal(name));
      PlannedFormat.candidate(name);
    }
    formats = List.copyOf(names);
    if (formats.isEmpty() || tokens < 1) {
      throw new IllegalArgumentException("%s on %d tokens".formatted(formats, tokens));
    }
  }
}
