package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.Dropout;
import dev.nibble.compute.tensor.Tensor;
import java.util.SplittableRandom;

/**
 * The start of training as PEFT has it: A uniform in ±1/sqrt(I), B zero, so that the adapter
 * changes nothing yet.
 */
public final class LoraInit {
  private LoraInit() {}

  /**
   * Fills every A in {@code parameters}; a module's values depend on the seed and its name only.
   */
  public static void init(Parameters parameters, long seed) {
    for (Parameter p : parameters.all()) {
      if (PeftNames.isA(p.name())) {
        uniform(p.weight(), Dropout.hash(seed) + p.name().hashCode());
      }
    }
  }

  private static void uniform(Tensor a, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double bound = 1 / Math.sqrt((double) a.cols());
    float[] values = new float[Math.toIntExact(a.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) ((2 * random.nextDouble() - 1) * bound);
    }
    a.put(values);
  }
}
