package dev.nibble.api.runs;

import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.trainer.evaluation.Accuracy;
import dev.nibble.trainer.evaluation.Comparison;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.objective.Objective;
import dev.nibble.trainer.optim.Optimizer;
import dev.nibble.trainer.train.Finetune;
import dev.nibble.trainer.train.Outcome;
import dev.nibble.trainer.train.Report;
import dev.nibble.trainer.train.StopRequest;
import dev.nibble.trainer.train.TrainingPlan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.function.Consumer;

/** {@code nibble train}: from a recipe to a trained model in its folder. */
public final class TrainRun {
  private final Recipe recipe;
  private final Wiring wiring;
  private final Output console;
  private final Consumer<Report> progress;
  private final StopSignals stops;
  private final EndReport end;

  /** A run that tells {@code console} what it does, and {@code progress} how far it is. */
  public TrainRun(Recipe recipe, Output console, Consumer<Report> progress, StopSignals stops) {
    this.recipe = recipe;
    this.wiring = new Wiring(recipe);
    this.console = console;
    this.progress = progress;
    this.stops = stops;
    this.end = new EndReport(recipe, console);
  }

  /** Runs it to the end, or to the step during which it was asked to stop. */
  public Outcome run(ExistingRunPolicy start) {
    StartReport report = new StartReport(recipe, console);
    KernelSet set = wiring.machine().kernelSet();
    try (Tokenizer tokenizer = wiring.tokenizer();
        Kernels kernels = set.open(wiring.machine().options());
        Scope memory = Scope.open("run", kernels.memory())) {
      report.machine(wiring.machine().kernels(), set);
      Planner planner = new Planner(recipe, wiring, kernels);
      planner.requireFit();
      Checkpointing checkpointing = planner.checkpointing();
      RunData data = wiring.data(tokenizer);
      Optional<AnswerEvaluation> answers =
          recipe
              .evaluation()
              .answers()
              .map(eval -> new AnswerEvaluation(recipe, eval, wiring.formats(), tokenizer));
      report.chat(wiring.formats(), tokenizer);
      report.data(data);
      answers.ifPresent(report::answers);
      long weights = wiring.countWeights();
      report.model(weights);
      try (RunRecords records = RunRecords.open(recipe, start, set);
          EndlessBatches batches = new EndlessBatches(data.train(), wiring.batches())) {
        CausalLm model = wiring.modelToTrain(kernels, memory, checkpointing);
        RunAssembly.checkVocabulary(recipe, tokenizer, model);
        Objective objective = wiring.objective(kernels, memory);
        try (Optimizer optimizer = wiring.optimizer(kernels, model.parameters(), memory)) {
          TrainingPlan plan = wiring.plan(data.train());
          Finetune.Parts parts =
              new Finetune.Parts(
                  model,
                  objective,
                  batches,
                  optimizer,
                  wiring.schedule(plan.steps()),
                  wiring.clip(kernels, memory),
                  data.validation()
                      .map(held -> RunAssembly.validation(model, objective, held, wiring)),
                  Optional.of(RunAssembly.checkpoints(recipe, wiring, optimizer, kernels)));
          report.trains(model.parameters().count(), weights);
          report.memory(memory);
          report.checkpointing(checkpointing);
          report.pages(optimizer.state().bytes());
          report.plan(plan);
          return train(kernels, memory, parts, plan, records, answers);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Outcome train(
      Kernels kernels,
      Scope memory,
      Finetune.Parts parts,
      TrainingPlan plan,
      RunRecords records,
      Optional<AnswerEvaluation> answers)
      throws IOException {
    Optional<Accuracy> before = answers.map(test -> measure("before", test, parts.model()));
    StopRequest stop = new StopRequest();
    Finetune loop = new Finetune(kernels, parts, plan, stop, records.andThen(progress));
    records.checkpoint().ifPresent(loop::resumeFrom);
    memory.seal();
    Outcome outcome = stops.whileTraining(stop, loop::run);
    memory.unseal();
    records.drawLoss();
    if (outcome instanceof Outcome.Finished) {
      RunAssembly.result(recipe, wiring, parts.model().parameters(), kernels)
          .save(recipe.output().folder());
      if (answers.isPresent() && before.isPresent()) {
        records.compare(compare(before.get(), answers.get(), parts.model()));
      }
      end.finished();
    }
    return outcome;
  }

  private Accuracy measure(String when, AnswerEvaluation test, CausalLm model) {
    console.live("  asking %d questions…".formatted(test.size()));
    Accuracy accuracy = test.measure(model);
    end.accuracy(when, accuracy);
    return accuracy;
  }

  private Comparison compare(Accuracy before, AnswerEvaluation test, CausalLm model) {
    Accuracy after = measure("after", test, model);
    Optional<Accuracy> baseline = test.baseline();
    baseline.ifPresent(b -> end.accuracy("baseline", b));
    end.samples(after);
    return new Comparison(before, after, baseline);
  }
}
