package dev.nibble.api;

import dev.nibble.api.estimate.Estimate;
import dev.nibble.api.estimate.MemoryBudget;
import dev.nibble.api.event.Event;
import dev.nibble.api.event.Event.Activity;
import dev.nibble.api.planning.FreeMemory;
import dev.nibble.api.planning.Planner;
import dev.nibble.api.planning.StepRateProbe;
import dev.nibble.api.wiring.EndlessBatches;
import dev.nibble.api.wiring.RunData;
import dev.nibble.api.wiring.StepCount;
import dev.nibble.api.wiring.Wiring;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.MatrixRate;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.build.MatrixWork;
import dev.nibble.trainer.model.config.ModelConfig;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * The estimate of what a run will need. Rows are read once to count them; of the model config.json
 * and the headers of its files, and no weight.
 */
final class Estimator {
  private static final int SHORTEST = 256;
  private static final int LONGEST = 1 << 15;

  // Micro-batches whose work stands for all.
  private static final int LOOKED_AT = 16;

  private final Recipe recipe;
  private final Wiring wiring;
  private final OptionalLong memory;
  private final Consumer<Event> listener;

  /**
   * An estimate of a recipe's run.
   *
   * @param memory bytes that tensors and process may take; empty for what is free here
   */
  Estimator(Recipe recipe, OptionalLong memory, Consumer<Event> listener) {
    this.recipe = recipe;
    this.wiring = new Wiring(recipe);
    this.memory = memory;
    this.listener = listener;
  }

  /** Estimates. */
  Estimate estimate() {
    KernelSet set = wiring.machine().kernelSet();
    try (Tokenizer tokenizer = wiring.tokenizer();
        Kernels kernels = set.open(wiring.machine().options())) {
      listener.accept(Event.KernelsOpened.of(wiring.machine().kernels(), set));
      wiring.adapterWarnings(Optional.empty()).forEach(listener);
      listener.accept(wiring.modelFound());
      working(Activity.PLANNING_MEMORY);
      Planner planner = new Planner(recipe, wiring, kernels);
      Optional<MemoryBudget> budget =
          memory.isPresent()
              ? Optional.of(FreeMemory.of(memory.getAsLong(), kernels))
              : FreeMemory.now(kernels);
      OptionalInt most =
          budget.map(r -> OptionalInt.of(planner.mostTokens(r))).orElseGet(OptionalInt::empty);
      Checkpointing checkpointing = planner.checkpointing(budget);
      listener.accept(new Event.LayersChosen(checkpointing, wiring.model().layers().size()));
      RunData data = wiring.data(tokenizer, listener);
      listener.accept(data.report());
      return new Estimate(
          KernelSets.describe(set),
          planner.plan(checkpointing),
          budget,
          lengths(planner),
          mapped(most, planner::longest),
          mapped(most, planner::mostSamples),
          time(data, kernels, checkpointing, budget));
    }
  }

  private void working(Activity activity) {
    listener.accept(new Event.Working(activity));
  }

  private static OptionalInt mapped(OptionalInt tokens, IntUnaryOperator to) {
    return tokens.isEmpty() ? tokens : OptionalInt.of(to.applyAsInt(tokens.getAsInt()));
  }

  /** Powers of two that the model takes, and the recipe's own length. */
  private List<Estimate.Length> lengths(Planner planner) {
    int positions = Math.min(LONGEST, wiring.model().longestSample());
    IntStream powers = IntStream.iterate(SHORTEST, n -> n <= positions, n -> 2 * n);
    return IntStream.concat(powers, IntStream.of(recipe.data().sequenceLength()))
        .sorted()
        .distinct()
        .mapToObj(n ->
            new Estimate.Length(
                n, planner.plan(Math.multiplyExact(n, recipe.training().microBatchSize()))))
        .toList();
  }

  private Estimate.Time time(
      RunData data, Kernels kernels, Checkpointing checkpointing, Optional<MemoryBudget> budget) {
    working(Activity.MEASURING_PRODUCTS);
    double rate = MatrixRate.measure(kernels);
    ModelConfig shape = wiring.model();
    ModelOptions options = wiring.optionsToTrain(wiring.batches().maxTokens(), checkpointing);
    MatrixWork work = new MatrixWork(shape, options);
    StepCount steps = wiring.steps(data.train());
    try (EndlessBatches batches = new EndlessBatches(data.train(), wiring.batches())) {
      double operations = 0;
      for (int i = 0; i < LOOKED_AT; i++) {
        operations += work.of(batches.next());
      }
      return new Estimate.Time(
          steps.total(),
          data.train().report().tokens(),
          steps.microBatchesOfStep() * operations / LOOKED_AT,
          rate,
          reached(
              new StepRateProbe(shape, options, steps.microBatchesOfStep()),
              rate,
              kernels,
              batches,
              budget));
    }
  }

  private Estimate.Reached reached(
      StepRateProbe probe,
      double rate,
      Kernels kernels,
      EndlessBatches batches,
      Optional<MemoryBudget> budget) {
    Optional<String> obstacle = probe.impossibleBecause(kernels, budget);
    if (obstacle.isPresent()) {
      return new Estimate.Reached.Assumed(obstacle.get());
    }
    working(Activity.TIMING_LAYERS);
    double share = probe.rate(kernels, batches) / rate;
    return new Estimate.Reached.Measured(Math.min(1, share), probe.layers());
  }
}
