package dev.nibble.trainer.model.build;

import dev.nibble.adapters.Parameters;
import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.ModelTensors;
import dev.nibble.trainer.model.config.TensorSpec;
import java.util.SplittableRandom;

/**
 * Random initial weights as transformers has them: matrices normal(0, initializer_range), norms 1
 * (stored as 1 - offset), biases 0.
 */
final class RandomInit {
  private RandomInit() {}

  /** A tensor's values depend on the seed and its name only. */
  static void init(Parameters parameters, ModelConfig config, long seed, Kernels kernels) {
    if (kernels.memory().isPlanned()) {
      return;
    }
    double deviation = config.initializerRange();
    float one = (float) (1 - config.normOffset());
    for (TensorSpec t : ModelTensors.of(config)) {
      Tensor weight = parameters.named(t.name()).weight();
      SplittableRandom random = new SplittableRandom(Dropout.hash(seed) + t.name().hashCode());
      float[] values = new float[Math.toIntExact(weight.elements())];
      for (int i = 0; i < values.length; i++) {
        values[i] =
            switch (t.kind()) {
              case NORM -> one;
              case BIAS -> 0;
              case EMBEDDING, LINEAR, HEAD -> (float) (random.nextGaussian() * deviation);
            };
      }
      TensorValues.put(kernels, weight, values);
    }
  }
}
