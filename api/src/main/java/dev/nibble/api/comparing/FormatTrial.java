package dev.nibble.api.comparing;

import dev.nibble.adapters.AdapterSpec;
import dev.nibble.api.compare.ComparedFormat;
import dev.nibble.api.compare.ComparisonRequest;
import dev.nibble.api.compare.FormatFigures;
import dev.nibble.api.compare.TrainedFigures;
import dev.nibble.api.estimate.MemoryBudget;
import dev.nibble.api.event.Event;
import dev.nibble.api.event.Event.Activity;
import dev.nibble.api.planning.FreeMemory;
import dev.nibble.api.planning.Planner;
import dev.nibble.api.planning.TimedSteps;
import dev.nibble.api.text.Human;
import dev.nibble.api.wiring.EndlessBatches;
import dev.nibble.api.wiring.FirstSamples;
import dev.nibble.api.wiring.RunAssembly;
import dev.nibble.api.wiring.Wiring;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.PlanningKernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.OutOfDeviceMemory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.Batch;
import dev.nibble.data.batching.Subset;
import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.quant.CalibratedFormat;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.named.FormatNames;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.RecipeException;
import dev.nibble.trainer.export.LogitAgreement;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.objective.Objective;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Measures one format after another on the same rows. */
final class FormatTrial {
  /** Steps get faster for about so long, while Java compiles what the first format needs. */
  private static final double SECONDS_OF_FIRST_STEPS = 6;

  /** The same for what a later format needs besides. */
  private static final double SECONDS_OF_STEPS = 2;

  private final ComparisonRequest request;
  private final Wiring asked;
  private final Kernels kernels;
  private final ShardedSafetensors source;
  private final Subset train;
  private final Subset held;
  private final Consumer<Event> listener;
  private final List<Batch> compared;

  /** Logits of the base as it is; empty until they are known. */
  private List<float[][]> reference = List.of();

  /**
   * A trial.
   *
   * @param asked the wiring of the recipe as it is asked for
   * @param source of the base, not quantised
   * @param held what is held out
   */
  FormatTrial(
      ComparisonRequest request,
      Wiring asked,
      Kernels kernels,
      ShardedSafetensors source,
      Subset train,
      Subset held,
      Consumer<Event> listener) {
    this.request = request;
    this.asked = asked;
    this.kernels = kernels;
    this.source = source;
    this.train = train;
    this.held = held;
    this.listener = listener;
    this.compared = FirstSamples.of(held, asked, asked.model().sizes().vocab());
  }

  /**
   * One format's measurements, or why there are none.
   *
   * @param format empty for weights as they are stored
   */
  ComparedFormat of(String name, Optional<WeightFormat> format) {
    List<String> failures = new ArrayList<>();
    if (!(format.orElse(null) instanceof CalibratedFormat calibrated)) {
      return of(name, format, Optional.empty(), failures);
    }
    Optional<FittedBase> fitted =
        attempt(
            failures,
            () ->
                FittedBase.fit(
                    request.recipe(), calibrated, request.output().resolve(name), listener));
    if (fitted.isEmpty()) {
      return result(name, format, Optional.empty(), Optional.empty(), failures);
    }
    try (FittedBase base = fitted.get()) {
      return of(name, format, Optional.of(base), failures);
    }
  }

  private ComparedFormat of(
      String name,
      Optional<WeightFormat> format,
      Optional<FittedBase> fitted,
      List<String> failures) {
    One one = new One(name.equals(FormatNames.FULL), format, fitted);
    Optional<FormatFigures> base = attempt(failures, () -> one.measure(failures));
    Optional<TrainedFigures> trained =
        request.train() && base.isPresent() ? attempt(failures, one::train) : Optional.empty();
    return result(name, format, base, trained, failures);
  }

  private static ComparedFormat result(
      String name,
      Optional<WeightFormat> format,
      Optional<FormatFigures> base,
      Optional<TrainedFigures> trained,
      List<String> failures) {
    return new ComparedFormat(
        name,
        format.map(WeightFormat::describe).orElse("as it is stored"),
        base,
        trained,
        failures.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", failures)));
  }

  /** What a format, a model or a machine refuses fails one format; a mistake of ours fails all. */
  private static <T> Optional<T> attempt(List<String> failures, Supplier<T> measurement) {
    try {
      return Optional.of(measurement.get());
    } catch (NibbleException e) {
      if (e.fault() == Fault.BUG) {
        throw e;
      }
      failures.add(onOneLine(e.problem()));
    } catch (OutOfDeviceMemory e) {
      failures.add("out of memory: " + onOneLine(String.valueOf(e.getMessage())));
    }
    return Optional.empty();
  }

  /** A message that may have a table in it. */
  private static String onOneLine(String message) {
    return message.strip().replaceAll("\\s+", " ");
  }

  private record Evaluation(double perplexity, OptionalDouble outputError) {}

  /** The base in one format. */
  private final class One {
    private final boolean isReference;
    private final Optional<WeightFormat> format;
    private final Optional<FittedBase> fitted;
    private final Recipe recipe;
    private final Wiring wiring;

    One(boolean isReference, Optional<WeightFormat> format, Optional<FittedBase> fitted) {
      this.isReference = isReference;
      this.format = format;
      this.fitted = fitted;
      Path folder = fitted.map(FittedBase::folder).orElse(request.recipe().model().base());
      this.recipe = RecipeInFormat.of(request.recipe(), folder, format, request.output());
      this.wiring = new Wiring(recipe);
    }

    FormatFigures measure(List<String> failures) {
      requireFit(planned(evaluating(), false));
      Optional<ModelOptions> steps = attempt(failures, this::training).flatMap(o -> o);
      try (Scope weights = Scope.open("weights", kernels.memory())) {
        BaseInFormat base = base(kernels, weights, true);
        Evaluation evaluation = evaluate(base);
        Optional<Double> speed =
            steps.flatMap(options -> attempt(failures, () -> tokensPerSecond(base, options)));
        return new FormatFigures(
            base.bits(),
            base.bytes(),
            base.modelBytes(),
            base.weightError(),
            evaluation.outputError(),
            evaluation.perplexity(),
            base.seconds(),
            speed.map(OptionalDouble::of).orElse(OptionalDouble.empty()));
      }
    }

    private Evaluation evaluate(BaseInFormat base) {
      try (Scope scope = Scope.open("evaluation", kernels.memory())) {
        CausalLm model = base.model(evaluating(), scope);
        Objective objective = wiring.objective(kernels, scope);
        double loss =
            RunAssembly.validation(model, objective, held, wiring, listener).measure().mean();
        return new Evaluation(Math.exp(loss), outputError(model));
      }
    }

    private BaseInFormat base(Kernels on, Scope scope, boolean told) {
      return BaseInFormat.make(
          request.recipe().model().base(),
          source,
          format,
          fitted,
          on,
          scope,
          (done, total) -> {
            if (told) {
              listener.accept(
                  new Event.Working(
                      format.isEmpty() ? Activity.LOADING_MODEL : Activity.QUANTIZING,
                      done,
                      total));
            }
          });
    }

    private int maxTokens() {
      return wiring.batches().maxTokens();
    }

    private ModelOptions evaluating() {
      return new ModelOptions(new Training.Nothing(), format, maxTokens(), Checkpointing.FULL);
    }

    /** Options of timed steps; empty where there is no adapter, or too little memory now. */
    private Optional<ModelOptions> training() {
      if (recipe.model().adapterSource().isEmpty()) {
        return Optional.empty();
      }
      AdapterSpec spec = wiring.adapterSpec().withFastStart();
      ModelOptions options =
          new ModelOptions(
              new Training.Adapter(spec, recipe.training().seed()),
              format,
              maxTokens(),
              new Planner(recipe, wiring, kernels).checkpointing());
      long bytes = planned(options, true);
      boolean fits = FreeMemory.now(kernels).map(b -> bytes <= b.forTensors()).orElse(true);
      return fits ? Optional.of(options) : Optional.empty();
    }

    /** Bytes that the base in this format takes, and a model over it. */
    private long planned(ModelOptions options, boolean steps) {
      Kernels planning = PlanningKernels.of(kernels);
      try (Scope scope = Scope.open("plan", planning.memory())) {
        CausalLm model = base(planning, scope, false).model(options, scope);
        if (steps) {
          new TimedSteps(planning, model, scope);
        } else {
          wiring.objective(planning, scope);
        }
        return scope.bytes();
      }
    }

    private void requireFit(long bytes) {
      Optional<MemoryBudget> budget = FreeMemory.most(kernels);
      if (budget.isPresent() && bytes > budget.get().forTensors()) {
        throw new RecipeException(
            "measuring takes %s in tensors, and %s"
                .formatted(Human.bytes(bytes), budget.get().words()));
      }
    }

    /** How far the distributions of the next token are from those of the base as it is. */
    private OptionalDouble outputError(CausalLm model) {
      List<float[][]> logits = new ArrayList<>();
      for (Batch batch : compared) {
        listener.accept(new Event.Working(Activity.COMPARING, logits.size(), compared.size()));
        logits.add(model.logits(batch));
      }
      if (isReference) {
        reference = logits;
      }
      if (reference.isEmpty()) {
        return OptionalDouble.empty();
      }
      LogitAgreement.Sum sum = new LogitAgreement.Sum();
      for (int b = 0; b < logits.size(); b++) {
        for (int i = 0; i < logits.get(b).length; i++) {
          sum.add(reference.get(b)[i], logits.get(b)[i]);
        }
      }
      return OptionalDouble.of(sum.result().divergence());
    }

    private double tokensPerSecond(BaseInFormat base, ModelOptions options) {
      listener.accept(new Event.Working(Activity.TIMING_STEPS));
      double microBatches = asked.steps(train).microBatchesOfStep();
      try (Scope scope = Scope.open("steps", kernels.memory());
          EndlessBatches batches = new EndlessBatches(train, wiring.batches())) {
        TimedSteps steps = new TimedSteps(kernels, base.model(options, scope), scope);
        double tokens = 0;
        double seconds = 0;
        double length = isReference ? SECONDS_OF_FIRST_STEPS : SECONDS_OF_STEPS;
        for (TimedSteps.Step step : steps.lastThird(batches, length)) {
          tokens += step.batch().length();
          seconds += step.passSeconds() + step.updateSeconds() / microBatches;
        }
        return tokens / seconds;
      }
    }

    TrainedFigures train() {
      Planner planner = new Planner(recipe, wiring, kernels);
      planner.requireFit();
      return new EqualTraining(recipe, wiring, kernels, listener)
          .train(train, held, planner.checkpointing());
    }
  }
}
