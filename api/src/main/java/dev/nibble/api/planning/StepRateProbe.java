package dev.nibble.api.planning;

import dev.nibble.adapters.AdapterException;
import dev.nibble.api.estimate.MemoryBudget;
import dev.nibble.api.wiring.EndlessBatches;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.PlanningKernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.Batch;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.build.MatrixWork;
import dev.nibble.trainer.model.build.RandomModel;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.objective.NextTokenLoss;
import dev.nibble.trainer.objective.Objective;
import dev.nibble.trainer.optim.AdamW;
import dev.nibble.trainer.optim.GradientClip;
import dev.nibble.trainer.optim.Optimizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A few timed steps of a model's first layers, with random weights and real rows, which show what
 * rate of matrix products whole steps reach.
 */
public final class StepRateProbe {
  private static final int FEWEST_LAYERS = 2;
  private static final long WEIGHTS = 100_000_000; // of as many layers as are timed
  private static final int FEWEST_STEPS = 3;
  // Small steps get faster for most of them, while Java and oneDNN compile; the last third counts.
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
      new Parts(kernels, scope);
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
      Parts parts = new Parts(kernels, scope);
      MatrixWork work = new MatrixWork(shape, options);
      List<Double> operations = new ArrayList<>();
      List<Double> seconds = new ArrayList<>();
      double all = 0;
      while (operations.size() < FEWEST_STEPS || all < SECONDS) {
        Batch batch = batches.next();
        double pass = seconds(() -> parts.pass(batch));
        double update = seconds(parts::update);
        operations.add(microBatches * work.of(batch));
        seconds.add(microBatches * pass + update);
        all += pass + update;
      }
      return sumOfLastThird(operations) / sumOfLastThird(seconds);
    }
  }

  private static double sumOfLastThird(List<Double> values) {
    return values.stream().skip(2L * values.size() / 3).mapToDouble(v -> v).sum();
  }

  private static double seconds(Runnable task) {
    long start = System.nanoTime();
    task.run();
    return (System.nanoTime() - start) / 1e9;
  }

  /** What steps. */
  private final class Parts {
    private final Kernels kernels;
    private final CausalLm model;
    private final Objective objective;
    private final GradientClip clip;
    private final Optimizer optimizer;

    Parts(Kernels kernels, Scope scope) {
      this.kernels = kernels;
      model = RandomModel.make(shape, SEED, options, kernels, scope, part -> {}).model();
      objective = new NextTokenLoss(kernels, scope, options.maxBatchTokens());
      clip = new GradientClip(kernels, 1, scope);
      optimizer = new AdamW(kernels, model.parameters(), AdamW.Settings.DEFAULT, scope);
    }

    void pass(Batch batch) {
      model.accumulate(batch, SEED, objective);
      clip.apply(model.parameters().gradients()); // waits for a device
    }

    void update() {
      optimizer.update(0);
      model.parameters().zeroGradients(kernels);
    }
  }
}
