package dev.nibble.api.planning;

import dev.nibble.adapters.AdapterException;
import dev.nibble.api.estimate.MemoryBudget;
import dev.nibble.api.wiring.EndlessBatches;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.PlanningKernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.build.MatrixWork;
import dev.nibble.trainer.model.build.RandomModel;
import dev.nibble.trainer.model.config.ModelConfig;
import java.util.Optional;

/**
 * A few timed steps of a model's first layers, with random weights and real rows, which show what
 * rate of matrix products whole steps reach.
 */
public final class StepRateProbe {
  private static final int FEWEST_LAYERS = 2;
  private static final long WEIGHTS = 100_000_000; // of as many layers as are timed
  private static final double SECONDS = 10;
  private static final long SEED = 0;

  private final ModelConfig shape;
  private final ModelOptions options;
  private final double microBatches;

  /**
   * A probe.
   *
   * @param shape of the whole model
   * @param options that it is trained with
   * @param microBatches of a step, on average
   */
  public StepRateProbe(ModelConfig shape, ModelOptions options, double microBatches) {
    long layer = Math.max(1, shape.firstLayers(2).weights() - shape.firstLayers(1).weights());
    this.shape = shape.firstLayers((int) Math.max(FEWEST_LAYERS, WEIGHTS / layer));
    this.options = withoutStart(options);
    this.microBatches = microBatches;
  }

  /** An adapter's start may take long, and changes no step's work. */
  private static ModelOptions withoutStart(ModelOptions o) {
    return o.training() instanceof Training.Adapter(var spec, long seed)
        ? new ModelOptions(
            new Training.Adapter(spec.withFastStart(), seed),
            o.quantization(),
            o.maxBatchTokens(),
            o.checkpointing(),
            o.embeddingNoise())
        : o;
  }

  /** How many layers are timed. */
  public int layers() {
    return shape.layers().size();
  }

  /** Why it cannot be made; empty when it can. */
  public Optional<String> impossibleBecause(Kernels real, Optional<MemoryBudget> budget) {
    Kernels kernels = PlanningKernels.of(real);
    try (Scope scope = Scope.open("probe", kernels.memory())) {
      steps(kernels, scope);
      return budget.isPresent() && scope.bytes() > budget.get().forTensors()
          ? Optional.of("there is too little memory to measure")
          : Optional.empty();
    } catch (AdapterException e) {
      return Optional.of("the first layers cannot be measured alone");
    }
  }

  /**
   * Operations of matrix products a second that steps reach.
   *
   * @param batches of the recipe's rows
   */
  public double rate(Kernels kernels, EndlessBatches batches) {
    try (Scope scope = Scope.open("probe", kernels.memory())) {
      MatrixWork work = new MatrixWork(shape, options);
      double operations = 0;
      double seconds = 0;
      for (TimedSteps.Step step : steps(kernels, scope).lastThird(batches, SECONDS)) {
        operations += microBatches * work.of(step.batch());
        seconds += microBatches * step.passSeconds() + step.updateSeconds();
      }
      return operations / seconds;
    }
  }

  private TimedSteps steps(Kernels kernels, Scope scope) {
    CausalLm model = RandomModel.make(shape, SEED, options, kernels, scope, part -> {}).model();
    return new TimedSteps(kernels, model, scope);
  }
}
