package dev.nibble.api;

import dev.nibble.api.event.Event;
import dev.nibble.api.event.Event.Activity;
import dev.nibble.api.event.Event.Occasion;
import dev.nibble.api.planning.Planner;
import dev.nibble.api.wiring.AnswerEvaluation;
import dev.nibble.api.wiring.EndlessBatches;
import dev.nibble.api.wiring.LoopProfile;
import dev.nibble.api.wiring.RunAssembly;
import dev.nibble.api.wiring.RunData;
import dev.nibble.api.wiring.StepCount;
import dev.nibble.api.wiring.Wiring;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.checkpoint.Checkpoints;
import dev.nibble.trainer.checkpoint.ModelFiles;
import dev.nibble.trainer.evaluation.Accuracy;
import dev.nibble.trainer.evaluation.Comparison;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.objective.Objective;
import dev.nibble.trainer.optim.Optimizer;
import dev.nibble.trainer.run.RunException;
import dev.nibble.trainer.train.Finetune;
import dev.nibble.trainer.train.Outcome;
import dev.nibble.trainer.train.StopRequest;
import dev.nibble.trainer.train.TrainingPlan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.function.Consumer;

/** A training run: from a recipe to a trained model in its output folder. */
public final class Tuner {
  private final Recipe recipe;
  private final Consumer<Event> listener;

  Tuner(Recipe recipe, Consumer<Event> listener) {
    this.recipe = recipe;
    this.listener = listener;
  }

  /** Trains to the end, into an output folder that holds no run. */
  public Outcome train() {
    return train(new ExistingRunPolicy.Anew(), new StopRequest());
  }

  /**
   * Trains to the end, or to the step during which it was asked to stop.
   *
   * @param existing what to do about a run that is in the output folder
   * @param stop ends the training loop with a checkpoint, from any thread; one that comes before
   *     the loop ends it after its first step
   */
  public Outcome train(ExistingRunPolicy existing, StopRequest stop) {
    working(Activity.HASHING_FILES);
    try (RunRecords records = RunRecords.open(recipe, existing)) {
      return train(records, new Wiring(recipe, records.began()), stop);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Outcome train(RunRecords records, Wiring wiring, StopRequest stop) throws IOException {
    KernelSet set = wiring.machine().kernelSet();
    try (Tokenizer tokenizer = wiring.tokenizer();
        Kernels kernels = set.open(wiring.machine().options());
        Scope memory = Scope.open("run", kernels.memory())) {
      listener.accept(Event.KernelsOpened.of(wiring.machine().kernels(), set));
      Optional<LoopProfile> profile = LoopProfile.of(kernels, listener);
      working(Activity.PLANNING_MEMORY);
      Planner planner = new Planner(recipe, wiring, kernels);
      planner.requireFit();
      Checkpointing checkpointing = planner.checkpointing();
      RunData data = wiring.data(tokenizer, listener);
      Optional<AnswerEvaluation> answers =
          recipe
              .evaluation()
              .answers()
              .map(eval -> new AnswerEvaluation(recipe, eval, wiring.formats(), tokenizer));
      wiring.formats().report(tokenizer).ifPresent(listener);
      listener.accept(data.report());
      StepCount steps = wiring.steps(data.train());
      answers.ifPresent(test -> listener.accept(new Event.QuestionsRead(test.size())));
      wiring.adapterWarnings(Optional.empty()).forEach(listener);
      Event.ModelFound found = wiring.modelFound();
      listener.accept(found);
      try (EndlessBatches batches = new EndlessBatches(data.train(), wiring.batches())) {
        working(Activity.LOADING_MODEL);
        CausalLm model = wiring.modelToTrain(kernels, memory, checkpointing, listener);
        Objective objective = wiring.objective(kernels, memory);
        ModelFiles trained =
            RunAssembly.checkpointFiles(recipe, wiring, model.parameters(), kernels);
        try (Optimizer optimizer = wiring.optimizer(kernels, model.parameters(), memory)) {
          TrainingPlan plan = wiring.plan(steps.total());
          Finetune.Parts parts =
              new Finetune.Parts(
                  model,
                  objective,
                  batches,
                  optimizer,
                  wiring.schedule(plan.steps()),
                  wiring.clip(kernels, memory),
                  data.validation()
                      .map(
                          held -> RunAssembly.validation(model, objective, held, wiring, listener)),
                  Optional.of(
                      new Checkpoints(
                          recipe.output().folder(),
                          recipe.output().saveLimit(),
                          trained,
                          optimizer,
                          kernels)));
          listener.accept(
              new Event.RunPrepared(
                  model.parameters().count(),
                  found.weights(),
                  memory.bytes(),
                  memory.groups(),
                  new Event.LayersChosen(checkpointing, wiring.model().layers().size()),
                  optimizer.state().bytes(),
                  plan,
                  steps.sizeOf(data.train().report())));
          Finetune loop =
              new Finetune(
                  kernels,
                  parts,
                  plan,
                  stop,
                  records.andThen(report -> {
                    profile.ifPresent(p -> p.accept(report));
                    listener.accept(new Event.LoopReport(report));
                  }));
          Optional<Accuracy> before =
              answers.map(test -> measure(Occasion.BEFORE, test, parts.model()));
          records.begin(set);
          records.checkpoint().ifPresent(loop::resumeFrom);
          memory.seal();
          Outcome outcome = run(loop);
          profile.flatMap(LoopProfile::end).ifPresent(listener);
          memory.unseal();
          if (outcome instanceof Outcome.Finished) {
            long step = recipe.output().best() ? loadBest(loop, trained) : outcome.step();
            records.save(RunAssembly.result(recipe, wiring, model.parameters(), kernels));
            listener.accept(new Event.ResultSaved(recipe.output().folder(), step, loop.best()));
            if (answers.isPresent() && before.isPresent()) {
              records.compare(compare(before.get(), answers.get(), parts.model()));
            }
          }
          records.drawLoss();
          return outcome;
        }
      }
    }
  }

  /** Takes the weights of the best evaluation, and tells after which step they were so. */
  private long loadBest(Finetune loop, ModelFiles trained) throws IOException {
    trained.load(
        Checkpoints.best(recipe.output().folder())
            .orElseThrow(() ->
                new RunException(
                    "the checkpoint of the best validation, after step %d, is gone from %s"
                        .formatted(loop.best().step(), recipe.output().folder()))));
    return loop.best().step();
  }

  private Outcome run(Finetune loop) {
    listener.accept(new Event.LoopStarted());
    try {
      return loop.run();
    } finally {
      listener.accept(new Event.LoopEnded());
    }
  }

  private void working(Activity activity) {
    listener.accept(new Event.Working(activity));
  }

  private Accuracy measure(Occasion occasion, AnswerEvaluation test, CausalLm model) {
    Accuracy accuracy = test.measure(model, listener);
    listener.accept(new Event.AnswersMeasured(occasion, accuracy));
    return accuracy;
  }

  private Comparison compare(Accuracy before, AnswerEvaluation test, CausalLm model) {
    Accuracy after = measure(Occasion.AFTER, test, model);
    working(Activity.TRAINING_BASELINE);
    Optional<Accuracy> baseline = test.baseline();
    baseline.ifPresent(b -> listener.accept(new Event.AnswersMeasured(Occasion.BASELINE, b)));
    return new Comparison(before, after, baseline);
  }
}
