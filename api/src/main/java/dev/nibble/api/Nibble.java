package dev.nibble.api;

import dev.nibble.api.compare.ComparisonRequest;
import dev.nibble.api.compare.FormatComparison;
import dev.nibble.api.comparing.Comparer;
import dev.nibble.api.estimate.Estimate;
import dev.nibble.api.event.Event;
import dev.nibble.api.export.Exporter;
import dev.nibble.api.export.Quantizer;
import dev.nibble.api.plan.FormatPlanner;
import dev.nibble.api.plan.PlanRequest;
import dev.nibble.api.plan.PlanResult;
import dev.nibble.recipes.recipe.Recipe;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * The entry to Nibble: tunes models, opens them, and exports them. It holds nothing but the
 * listener that hears of progress; whatever it makes owns its kernels, threads and memory, so that
 * several can be at work at once in one process, each used by one thread.
 *
 * <pre>{@code
 * Nibble nibble = Nibble.reportingTo(event -> log.info("{}", event));
 * nibble.tuner(recipe).train();
 * try (Model model = nibble.open(ModelSource.tuned(recipe))) {
 *   String answer = model.chat().ask("...");
 * }
 * }</pre>
 */
public final class Nibble {
  private final Consumer<Event> listener;

  private Nibble(Consumer<Event> listener) {
    this.listener = listener;
  }

  /** Nibble, telling nobody. */
  public static Nibble silent() {
    return new Nibble(event -> {});
  }

  /** Nibble, telling {@code listener} what it does, on the thread that does it. */
  public static Nibble reportingTo(Consumer<Event> listener) {
    return new Nibble(listener);
  }

  /** A training run. Nothing is opened or written until it trains. */
  public Tuner tuner(Recipe recipe) {
    return new Tuner(recipe, listener);
  }

  /** Loads a model to generate, chat and measure with. */
  public Model open(ModelSource source) {
    return open(source, Integer.MAX_VALUE);
  }

  /**
   * The same with memory for passes of at most {@code passTokens} tokens, and no more than the
   * recipe's batches have. Longer prompts take several passes; measuring needs whole batches.
   */
  public Model open(ModelSource source, int passTokens) {
    return Model.open(source, passTokens, listener);
  }

  /** The first samples of a recipe's data, as the model sees them. */
  public Preview preview(Recipe recipe) {
    return new Preview(recipe, listener);
  }

  /** The memory and time that a run needs, compared with the memory that is free here. */
  public Estimate estimate(Recipe recipe) {
    return new Estimator(recipe, OptionalLong.empty(), listener).estimate();
  }

  /** The same, against {@code memory} bytes. */
  public Estimate estimate(Recipe recipe, long memory) {
    return new Estimator(recipe, OptionalLong.of(memory), listener).estimate();
  }

  /** Writes a model for other tools. */
  public Exporter exporter(ModelSource source) {
    return new Exporter(source.recipe(), source.run(), listener);
  }

  /** Writes a quantised copy of a model's folder. */
  public Quantizer.Result quantize(Quantizer.Request request) {
    return new Quantizer(request, listener).write();
  }

  /**
   * Measures a recipe's base model in several weight formats, one after another, and writes a table
   * and a picture. A format that fails is told of, and the others go on.
   *
   * @throws dev.nibble.recipes.recipe.RecipeException when the recipe has nothing to compare
   */
  public FormatComparison compare(ComparisonRequest request) {
    return new Comparer(request, listener).compare();
  }

  /**
   * Chooses a weight format for each matrix of a recipe's base under a budget, by sensitivities
   * that it measures, and writes the plan.
   *
   * @throws dev.nibble.recipes.recipe.RecipeException when there is nothing to plan for, or the
   *     budget is too small
   */
  public PlanResult plan(PlanRequest request) {
    return new FormatPlanner(request, listener).plan();
  }
}
