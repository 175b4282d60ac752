package dev.nibble.cli.report;

import dev.nibble.api.estimate.Estimate;
import dev.nibble.api.estimate.MemoryBudget;
import dev.nibble.api.text.Human;
import dev.nibble.cli.terminal.Console;
import dev.nibble.cli.terminal.StyledText;
import dev.nibble.recipes.recipe.Recipe;

/** An estimate as text. */
public final class EstimateReport {
  private final Recipe recipe;
  private final Console console;

  /** A report of estimates for a recipe. */
  public EstimateReport(Recipe recipe, Console console) {
    this.recipe = recipe;
    this.console = console;
  }

  /** Shows an estimate. */
  public void show(Estimate e) {
    console.entry("memory", verdict(e));
    e.plan().groups().forEach(console::bytes);
    e.budget()
        .map(MemoryBudget::runtime)
        .filter(bytes -> bytes > 0)
        .ifPresent(bytes -> console.bytes("runtime", bytes));
    if (e.plan().onHost() >= 1 << 20) {
      console.line(
          new StyledText()
              .faint("             and %s on the host".formatted(Human.bytes(e.plan().onHost()))));
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
    console.entry("time", time(e.time()));
  }

  /** Whether it fits. */
  private static String verdict(Estimate e) {
    String needs = "%s in tensors".formatted(Human.bytes(e.plan().tensors()));
    if (e.budget().isEmpty()) {
      return needs;
    }
    MemoryBudget budget = e.budget().get();
    String all =
        budget.runtime() == 0 ? needs : needs + ", %s in all".formatted(Human.bytes(e.needed()));
    return all
        + "; "
        + budget.words()
        + (e.fits() ? ": it fits" : ": " + Human.bytes(e.needed() - budget.bytes()) + " too much");
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

  private static String time(Estimate.Time time) {
    return "%s for %s, at %s of the measured %.3g TFLOP/s (%s)"
        .formatted(
            Human.duration(time.seconds()),
            Human.counted(time.steps(), "step"),
            Human.percent(time.reached().share()),
            time.rate() / 1e12,
            switch (time.reached()) {
              case Estimate.Reached.Measured m ->
                  "measured with the first %d layers".formatted(m.layers());
              case Estimate.Reached.Assumed a -> "assumed, because " + a.because();
            });
  }
}
