package dev.nibble.api.wiring;

import dev.nibble.adapters.Parameters;
import dev.nibble.api.event.Event;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.data.Batch;
import dev.nibble.data.batching.BatchStream;
import dev.nibble.data.batching.Subset;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.checkpoint.ModelFiles;
import dev.nibble.trainer.evaluation.ValidationLoss;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.objective.Objective;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Assembly of a run from model, data and files. */
public final class RunAssembly {
  private RunAssembly() {}

  /** The validation loss over all samples that are held out. */
  public static ValidationLoss validation(
      CausalLm model, Objective objective, Subset held, Wiring wiring, Consumer<Event> listener) {
    List<Batch> batches = new ArrayList<>();
    try (BatchStream stream = held.batches(wiring.validationBatches(), 1)) {
      stream.forEachRemaining(batches::add);
    }
    return new ValidationLoss(
        model,
        objective,
        batches,
        done ->
            listener.accept(new Event.Working(Event.Activity.VALIDATING, done, batches.size())));
  }

  /** The files of the run's result. */
  public static ModelFiles result(
      Recipe recipe, Wiring wiring, Parameters parameters, Kernels kernels) {
    return recipe.model().adapterSource().isPresent()
        ? new AdapterFiles(wiring.adapterSpec(), recipe.model().base(), parameters, false, kernels)
        : new WeightFiles(recipe.model().base(), wiring.savedType(), parameters, kernels);
  }

  /**
   * The weights in a run's checkpoints: always in float32, so that a resumed run has the same bits.
   */
  public static ModelFiles checkpointFiles(
      Recipe recipe, Wiring wiring, Parameters parameters, Kernels kernels) {
    return switch (result(recipe, wiring, parameters, kernels)) {
      case WeightFiles weights -> weights.exact();
      case AdapterFiles adapter -> adapter.toContinue();
      case ModelFiles other -> other;
    };
  }
}
