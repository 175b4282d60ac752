package dev.nibble.api.comparing;

import dev.nibble.api.compare.TrainedFigures;
import dev.nibble.api.event.Event;
import dev.nibble.api.event.Event.Activity;
import dev.nibble.api.wiring.EndlessBatches;
import dev.nibble.api.wiring.RunAssembly;
import dev.nibble.api.wiring.Wiring;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.batching.Subset;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.objective.Objective;
import dev.nibble.trainer.optim.Optimizer;
import dev.nibble.trainer.train.Finetune;
import dev.nibble.trainer.train.Report;
import dev.nibble.trainer.train.StopRequest;
import dev.nibble.trainer.train.TrainingPlan;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Training of a recipe's adapter that differs between formats in nothing but the base: the same
 * seed, rows, order and steps, and no end before the last one. Nothing is saved.
 */
final class EqualTraining {
  private final Recipe recipe;
  private final Wiring wiring;
  private final Kernels kernels;
  private final Consumer<Event> listener;

  EqualTraining(Recipe recipe, Wiring wiring, Kernels kernels, Consumer<Event> listener) {
    this.recipe = recipe;
    this.wiring = wiring;
    this.kernels = kernels;
    this.listener = listener;
  }

  TrainedFigures train(Subset train, Subset held, Checkpointing checkpointing) {
    try (Scope memory = Scope.open("run", kernels.memory());
        EndlessBatches batches = new EndlessBatches(train, wiring.batches())) {
      listener.accept(new Event.Working(Activity.LOADING_MODEL));
      CausalLm model = wiring.modelToTrain(kernels, memory, checkpointing, listener);
      Objective objective = wiring.objective(kernels, memory);
      try (Optimizer optimizer = wiring.optimizer(kernels, model.parameters(), memory)) {
        TrainingPlan plan = plan(wiring.steps(train).total());
        Finetune.Parts parts =
            new Finetune.Parts(
                model,
                objective,
                batches,
                optimizer,
                wiring.schedule(plan.steps()),
                wiring.clip(kernels, memory),
                Optional.of(RunAssembly.validation(model, objective, held, wiring, listener)),
                Optional.empty());
        Watch watch = new Watch();
        Finetune loop = new Finetune(kernels, parts, plan, new StopRequest(), watch);
        memory.seal();
        loop.run();
        return watch.figures();
      }
    }
  }

  /** Evaluates after the last step alone. */
  private TrainingPlan plan(long steps) {
    Recipe.Training t = recipe.training();
    return new TrainingPlan(steps, t.accumulation(), t.seed(), false, 0, 0, t.mostSkipped(), 0);
  }

  /** What the loop tells: passed on, and the last evaluation kept. */
  private final class Watch implements Consumer<Report> {
    private final long start = System.nanoTime();
    private Optional<TrainedFigures> figures = Optional.empty();

    @Override
    public void accept(Report report) {
      if (report instanceof Report.EvaluationReport e) {
        double seconds = (System.nanoTime() - start) / 1e9 - e.seconds();
        figures = Optional.of(new TrainedFigures(e.perplexity(), seconds));
      }
      listener.accept(new Event.LoopReport(report));
    }

    TrainedFigures figures() {
      return figures.orElseThrow(
          () -> new IllegalStateException("the run ended without an evaluation"));
    }
  }
}
