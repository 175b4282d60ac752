package dev.nibble.api.runs;

import dev.nibble.api.text.Human;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.MatrixRate;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.build.MatrixWork;
import dev.nibble.trainer.model.config.ModelShape;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * {@code nibble estimate}: what a run will need, before it does. Rows are read once to count them;
 * of the model config.json and the headers of its files, and no weight.
 */
public final class EstimateRun {
  private static final int SHORTEST = 256;
  private static final int LONGEST = 1 << 15;

  // Micro-batches whose work stands for all.
  private static final int LOOKED_AT = 16;

  private final Recipe recipe;
  private final Wiring wiring;
  private final OptionalLong memory;
  private final Output console;

  /**
   * An estimate that is told to {@code console}.
   *
   * @param memory bytes that tensors and process may take; empty for what is free here
   */
  public EstimateRun(Recipe recipe, OptionalLong memory, Output console) {
    this.recipe = recipe;
    this.wiring = new Wiring(recipe);
    this.memory = memory;
    this.console = console;
  }

  /** Estimates. */
  public Estimate run() {
    KernelSet set = wiring.machine().kernelSet();
    StartReport report = new StartReport(recipe, console);
    try (Tokenizer tokenizer = wiring.tokenizer();
        Kernels kernels = set.open(wiring.machine().options())) {
      report.machine(wiring.machine().kernels(), set);
      report.model(wiring.countWeights());
      console.live("  planning memory…");
      Planner planner = new Planner(recipe, wiring, kernels);
      Optional<MemoryBudget> room =
          memory.isPresent()
              ? Optional.of(MemoryBudget.of(memory.getAsLong(), kernels))
              : MemoryBudget.free(kernels);
      OptionalInt most =
          room.map(r -> OptionalInt.of(planner.mostTokens(r))).orElseGet(OptionalInt::empty);
      Checkpointing checkpointing = planner.checkpointing(room);
      report.checkpointing(checkpointing);
      console.live("  reading rows…");
      RunData data = wiring.data(tokenizer);
      report.data(data);
      Estimate estimate =
          new Estimate(
              KernelSets.describe(wiring.machine().kernels(), set),
              planner.plan(checkpointing),
              room,
              lengths(planner),
              mapped(most, planner::longest),
              mapped(most, planner::mostSamples),
              time(data, kernels, checkpointing, room));
      tell(estimate);
      return estimate;
    }
  }

  private static OptionalInt mapped(OptionalInt tokens, IntUnaryOperator to) {
    return tokens.isEmpty() ? tokens : OptionalInt.of(to.applyAsInt(tokens.getAsInt()));
  }

  /** Powers of two that the model takes, and the recipe's own length. */
  private List<Estimate.Length> lengths(Planner planner) {
    int positions = Math.min(LONGEST, ModelShape.read(recipe.model().base()).maxPositions());
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
      RunData data, Kernels kernels, Checkpointing checkpointing, Optional<MemoryBudget> room) {
    console.live("  measuring matrix products…");
    double rate = MatrixRate.measure(kernels);
    ModelShape shape = ModelShape.read(recipe.model().base());
    ModelOptions options = wiring.optionsToTrain(wiring.batches().maxTokens(), checkpointing);
    MatrixWork work = new MatrixWork(shape, options);
    int accumulation = recipe.training().accumulation();
    try (EndlessBatches batches = new EndlessBatches(data.train(), wiring.batches())) {
      double operations = 0;
      for (int i = 0; i < LOOKED_AT; i++) {
        operations += work.of(batches.next());
      }
      return new Estimate.Time(
          wiring.plan(data.train()).steps(),
          data.train().report().tokens(),
          accumulation * operations / LOOKED_AT,
          rate,
          reached(new StepRateProbe(shape, options, accumulation), rate, kernels, batches, room));
    }
  }

  private Estimate.Reached reached(
      StepRateProbe trial,
      double rate,
      Kernels kernels,
      EndlessBatches batches,
      Optional<MemoryBudget> room) {
    Optional<String> obstacle = trial.impossibleBecause(kernels, room);
    if (obstacle.isPresent()) {
      return new Estimate.Reached.Assumed(obstacle.get());
    }
    console.live("  trying the first layers…");
    double share = trial.rate(kernels, batches) / rate;
    return new Estimate.Reached.Measured(Math.min(1, share), trial.layers());
  }

  private void tell(Estimate e) {
    console.entry("memory", e.verdict());
    e.plan().groups().forEach(this::line);
    e.room()
        .map(MemoryBudget::runtime)
        .filter(bytes -> bytes > 0)
        .ifPresent(bytes -> line("runtime", bytes));
    if (e.plan().onHost() >= 1 << 20) {
      console.line(
          console.faint(
              "             besides, %s on the host".formatted(Human.bytes(e.plan().onHost()))));
    }
    console.entry("lengths", "sequence_len   activations   all tensors");
    for (Estimate.Length length : e.lengths()) {
      console.line(
          "             %12s  %12s  %12s"
              .formatted(
                  Human.count(length.sequenceLength()),
                  Human.bytes(length.plan().groups().getOrDefault("activations", 0L)),
                  Human.bytes(length.plan().tensors())));
    }
    if (e.longest().isPresent() && e.samples().isPresent()) {
      console.entry("largest", largest(e.longest().getAsInt(), e.samples().getAsInt()));
    }
    console.entry(
        "time",
        "%s for %s steps, at %s of the %.3g TFLOP/s that matrix products reach here (%s)"
            .formatted(
                Human.duration(e.time().seconds()),
                Human.count(e.time().steps()),
                Human.percent(e.time().reached().share()),
                e.time().rate() / 1e12,
                switch (e.time().reached()) {
                  case Estimate.Reached.Measured m ->
                      "its first %d layers did".formatted(m.layers());
                  case Estimate.Reached.Assumed a -> "assumed: " + a.because();
                }));
  }

  private String largest(int longest, int samples) {
    return longest < 1
        ? "no sequence_len fits"
        : "sequence_len: %d with micro_batch_size: %d%s"
            .formatted(
                longest,
                recipe.training().microBatchSize(),
                samples < 1
                    ? ""
                    : ", or micro_batch_size: %d with sequence_len: %d"
                        .formatted(samples, recipe.data().sequenceLength()));
  }

  private void line(String group, long bytes) {
    console.line(console.faint("             %-22s %10s".formatted(group, Human.bytes(bytes))));
  }
}
