package dev.nibble.adapters;

import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;

/**
 * Buffers that all low-rank updates of a model share, since one runs at a time, all of them
 * activations.
 *
 * @param low [N, r]: A x
 * @param dlow [N, r]: its gradient; empty where nothing trains
 * @param ones [N, 1]; empty where no B has a bias
 */
record LoraScratch(Tensor low, Tensor dlow, Tensor ones) {

  /** Takes the buffers, in the group "scratch". */
  static LoraScratch allocate(
      Buffers buffers, LoraSpec spec, List<AdapterTarget> targets, boolean train) {
    long tokens = AdapterTarget.largest(targets, AdapterTarget::maxTokens);
    long low = tokens * spec.ranks().largest();
    return new LoraScratch(
        buffers.activation("scratch/lora_low", low),
        buffers.activation("scratch/lora_dlow", train ? low : 0),
        buffers.activation("scratch/lora_ones", spec.bias() ? tokens : 0));
  }
}
