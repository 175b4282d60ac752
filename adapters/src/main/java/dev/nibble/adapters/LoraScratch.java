package dev.nibble.adapters;

import dev.nibble.adapters.LoraAdapter.Target;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * Buffers that all adapted maps of a model share, since one runs at a time, all of them
 * activations. Those that a spec does not need are empty, as are those for training in a model that
 * does not train.
 *
 * @param low [N, r]: A x
 * @param dlow [N, r]: its gradient
 * @param dropped [N, I]: the adapter's input after dropout
 * @param ddropped [N, I]: its gradient
 * @param ones [N, 1]
 */
record LoraScratch(Tensor low, Tensor dlow, Tensor dropped, Tensor ddropped, Tensor ones) {

  /** Takes the buffers, in the group "scratch". */
  static LoraScratch allocate(Buffers buffers, LoraSpec spec, List<Target> targets, boolean train) {
    long tokens = largest(targets, Target::maxTokens);
    long low = tokens * spec.ranks().largest();
    long dropped = spec.dropout() == 0 || !train ? 0 : largest(targets, LoraScratch::inputs);
    return new LoraScratch(
        buffers.activation("scratch/lora_low", low),
        buffers.activation("scratch/lora_dlow", train ? low : 0),
        buffers.activation("scratch/lora_dropped", dropped),
        buffers.activation("scratch/lora_ddropped", dropped),
        buffers.activation("scratch/lora_ones", spec.bias() ? tokens : 0));
  }

  private static long inputs(Target t) {
    return t.isTable() ? 0 : t.maxTokens() * t.inputs();
  }

  static long largest(List<Target> targets, ToLongFunction<Target> size) {
    return targets.stream().mapToLong(size).max().orElse(0);
  }
}
