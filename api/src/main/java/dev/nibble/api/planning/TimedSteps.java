package dev.nibble.api.planning;

import dev.nibble.api.wiring.EndlessBatches;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.Batch;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.objective.NextTokenLoss;
import dev.nibble.trainer.objective.Objective;
import dev.nibble.trainer.optim.AdamW;
import dev.nibble.trainer.optim.GradientClip;
import dev.nibble.trainer.optim.Optimizer;
import java.util.ArrayList;
import java.util.List;

/** Steps of training that are taken to be timed: their learning rate is 0. */
public final class TimedSteps {
  private static final int FEWEST = 3;
  private static final long SEED = 0;

  private final Kernels kernels;
  private final CausalLm model;
  private final Objective objective;
  private final GradientClip clip;
  private final Optimizer optimizer;

  /**
   * Takes what a step needs besides the model.
   *
   * @param scope owns it; must be of the kernels' memory
   */
  public TimedSteps(Kernels kernels, CausalLm model, Scope scope) {
    this.kernels = kernels;
    this.model = model;
    this.objective = new NextTokenLoss(kernels, scope, model.maxBatchTokens());
    this.clip = new GradientClip(kernels, 1, scope);
    this.optimizer = new AdamW(kernels, model.parameters(), AdamW.Settings.DEFAULT, scope);
  }

  /**
   * A step of one micro-batch.
   *
   * @param passSeconds of forward and backward
   * @param updateSeconds of the optimizer
   */
  public record Step(Batch batch, double passSeconds, double updateSeconds) {}

  /**
   * Takes three steps or more, for so many seconds or longer. The last third is told: small steps
   * get faster for most of them, while Java and oneDNN compile.
   */
  public List<Step> lastThird(EndlessBatches batches, double seconds) {
    List<Step> steps = new ArrayList<>();
    double all = 0;
    while (steps.size() < FEWEST || all < seconds) {
      Batch batch = batches.next();
      double pass = seconds(() -> pass(batch));
      double update = seconds(this::update);
      steps.add(new Step(batch, pass, update));
      all += pass + update;
    }
    return steps.subList(2 * steps.size() / 3, steps.size());
  }

  private static double seconds(Runnable task) {
    long start = System.nanoTime();
    task.run();
    return (System.nanoTime() - start) / 1e9;
  }

  private void pass(Batch batch) {
    model.accumulate(batch, SEED, objective);
    clip.apply(model.parameters().gradients()); // waits for a device
  }

  private void update() {
    optimizer.update(0);
    model.parameters().zeroGradients(kernels);
  }
}
