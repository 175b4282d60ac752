package dev.nibble.api.comparing;

import dev.nibble.api.compare.ComparedFormat;
import dev.nibble.api.compare.ComparisonRequest;
import dev.nibble.api.compare.FormatComparison;
import dev.nibble.api.event.Event;
import dev.nibble.api.wiring.RunData;
import dev.nibble.api.wiring.Wiring;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.data.batching.Subset;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.named.FormatNames;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipe.InitWeights;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.trainer.model.build.ModelLoader;
import dev.nibble.trainer.plan.FormatPlan;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Consumer;

/** Compares weight formats of a recipe's base, one model in memory at a time. */
public final class Comparer {
  private final ComparisonRequest request;
  private final Recipe recipe;
  private final Consumer<Event> listener;

  /** A comparison; nothing is opened or written yet. */
  public Comparer(ComparisonRequest request, Consumer<Event> listener) {
    this.request = request;
    this.recipe = request.recipe();
    this.listener = listener;
  }

  /**
   * Measures every format and writes table and picture, anew after each.
   *
   * @throws RecipeException when the recipe has no validation data, no base to quantise, or nothing
   *     to train where training is asked for
   * @throws dev.nibble.trainer.plan.PlanException when a plan cannot be read, or is for another
   *     base
   */
  public FormatComparison compare() {
    SequencedMap<String, Optional<WeightFormat>> formats = checked();
    ComparisonFiles files = new ComparisonFiles(request);
    Wiring wiring = new Wiring(recipe);
    KernelSet set = wiring.machine().kernelSet();
    try (Tokenizer tokenizer = wiring.tokenizer();
        Kernels kernels = set.open(wiring.machine().options());
        ShardedSafetensors source = ShardedSafetensors.open(recipe.model().base())) {
      files.create();
      listener.accept(Event.KernelsOpened.of(wiring.machine().kernels(), set));
      RunData data = wiring.data(tokenizer, listener);
      wiring.formats().report(tokenizer).ifPresent(listener);
      listener.accept(data.report());
      listener.accept(wiring.modelFound());
      Subset held = data.validation().orElseThrow(Comparer::nothingHeldOut);
      FormatTrial trial =
          new FormatTrial(request, wiring, kernels, source, data.train(), held, listener);
      List<ComparedFormat> results = new ArrayList<>();
      for (var format : formats.entrySet()) {
        String name = format.getKey();
        listener.accept(new Event.FormatBegun(name, results.size() + 1, formats.size()));
        ComparedFormat result = trial.of(name, format.getValue());
        results.add(result);
        files.write(results, held.report());
        listener.accept(new Event.FormatCompared(result));
      }
      return new FormatComparison(results, files.table(), files.picture());
    }
  }

  /** The formats by name, where all that can be known before is as it must be. */
  private SequencedMap<String, Optional<WeightFormat>> checked() {
    Path base = recipe.model().base();
    if (recipe.model().init() == InitWeights.RANDOM) {
      throw new RecipeException(
          "init_weights: random leaves no weights to compare; name a trained model as base_model");
    }
    Optional<WeightFormat> stored = ModelLoader.storedFormat(base);
    if (stored.isPresent()) {
      throw new RecipeException(
          "base_model: %s is in %s already, from which no other format can be made; name the model that it was made from"
              .formatted(base, stored.get().describe()));
    }
    if (recipe.data().validation().isEmpty() && recipe.data().validationSize() == 0) {
      throw nothingHeldOut();
    }
    SequencedMap<String, Optional<WeightFormat>> formats = new LinkedHashMap<>();
    request.formats().forEach(name -> formats.put(name, format(name, base)));
    if (request.train() && recipe.model().adapterSource().isEmpty()) {
      throw new RecipeException(
          "adapter: none trains every weight, which quantised weights cannot; write adapter: lora or qlora to train on each format");
    }
    return formats;
  }

  /**
   * The format of a name, or of a plan's file; empty for weights as they are stored.
   *
   * @param base that a plan must be for
   */
  private static Optional<WeightFormat> format(String name, Path base) {
    return FormatPlan.isFile(name)
        ? Optional.of(FormatPlan.formatFor(base, Path.of(name)))
        : FormatNames.parse(name);
  }

  private static RecipeException nothingHeldOut() {
    return new RecipeException(
        "there is no held-out text to measure perplexity on: add val_set_size or test_datasets to the recipe, or give one with --set, such as val_set_size=100");
  }
}
