package dev.nibble.trainer.model.build;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.config.ModelConfig;
import java.util.function.DoubleConsumer;

/**
 * A model of random frozen weights, to measure with: made and quantised one tensor at a time,
 * without a file.
 *
 * @param quantizeSeconds what taking its linear maps over took, without making their values
 */
public record RandomModel(CausalLm model, double quantizeSeconds) {

  /**
   * Makes one.
   *
   * @param seed of its weights
   * @param progress is told which part of the linear maps' weights is there
   */
  public static RandomModel make(
      ModelConfig config,
      long seed,
      ModelOptions options,
      Kernels kernels,
      Scope scope,
      DoubleConsumer progress) {
    Memory host = kernels.memory().isPlanned() ? Memory.planned(Memory.host()) : Memory.host();
    try (RandomWeights weights = new RandomWeights(config, seed, host)) {
      FrozenWeights linears = new FrozenWeights(weights, options.quantization(), kernels, scope);
      double total = config.weights();
      var done =
          new Object() {
            double weights;
            double seconds;
          };
      CausalLm model =
          ModelLoader.build(
              config,
              weights,
              name -> {
                double made = weights.seconds();
                long start = System.nanoTime();
                var weight = linears.load(name);
                done.seconds += (System.nanoTime() - start) / 1e9 - (weights.seconds() - made);
                done.weights += (double) weight.rows() * weight.cols();
                progress.accept(done.weights / total);
                return weight;
              },
              options,
              kernels,
              scope);
      return new RandomModel(model, done.seconds);
    }
  }
}
