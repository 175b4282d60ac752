package dev.nibble.adapters;

import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;

/**
 * Buffers that all DoRA maps of a model share; r is the largest rank, O the most outputs.
 *
 * @param p [r, O]: A W^T
 * @param gram [r, r]: A A^T
 * @param q [O, r]: B A A^T
 * @param v [N, O]: what the adapted direction gives, then its gradient; empty where nothing trains
 * @param dfactor [O]
 */
record DoraScratch(Tensor p, Tensor gram, Tensor q, Tensor v, Tensor dfactor) {

  /** Takes the buffers, in the group "scratch". */
  static DoraScratch allocate(
      Buffers buffers, LoraSpec spec, List<AdapterTarget> targets, boolean train) {
    long rank = spec.ranks().largest();
    long outputs = AdapterTarget.largest(targets, AdapterTarget::outputs);
    long v = AdapterTarget.largest(targets, t -> t.maxTokens() * t.outputs());
    return new DoraScratch(
        buffers.statistic("scratch/dora_p", rank * outputs),
        buffers.statistic("scratch/dora_gram", rank * rank),
        buffers.statistic("scratch/dora_q", outputs * rank),
        buffers.activation("scratch/dora_v", train ? v : 0),
        buffers.statistic("scratch/dora_dfactor", train ? outputs : 0));
  }
}
