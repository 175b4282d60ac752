package dev.nibble.trainer.model;

import dev.nibble.adapters.Parameters;
import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Random initial weights as transformers has them: matrices normal(0, initializer_range), norms 1,
 * biases 0.
 */
final class LlamaInit {
  private LlamaInit() {}

  /** A tensor's values depend on the seed and its name only. */
  static void init(Parameters parameters, List<TensorSpec> tensors, double deviation, long seed) {
    for (TensorSpec t : tensors) {
      Tensor weight = parameters.named(t.name()).weight();
      SplittableRandom random = new SplittableRandom(Dropout.hash(seed) + t.name().hashCode());
      float[] values = new float[Math.toIntExact(weight.elements())];
      for (int i = 0; i < values.length; i++) {
        values[i] =
            switch (t.kind()) {
              case NORM -> 1;
              case BIAS -> 0;
              case EMBEDDING, LINEAR, HEAD -> (float) (random.nextGaussian() * deviation);
            };
      }
      weight.put(values);
    }
  }
}
