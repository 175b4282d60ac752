package dev.nibble.adapters;

import dev.nibble.adapters.LoraAdapter.Target;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;

/**
 * Buffers that all DoRA maps of a model share; r is the largest rank, O the most outputs.
 *
 * @param p [r, O]: A W^T
 * @param gram [r, r]: A A^T
 * @param q [O, r]: B A A^T
 * @param v [N, O]: what the adapted direction gives, then its gradient
 * @param dfactor [O]
 */
record DoraScratch(Tensor p, Tensor gram, Tensor q, Tensor v, Tensor dfactor) {

  /** Takes the buffers, in the group "scratch". */
  static DoraScratch allocate(Scope scope, LoraSpec spec, List<Target> targets) {
    long rank = spec.ranks().largest();
    long outputs = LoraScratch.largest(targets, Target::outputs);
    long v = LoraScratch.largest(targets, t -> t.maxTokens() * t.outputs());
    return new DoraScratch(
        scope.allocate("scratch/dora_p", DType.F32, rank * outputs),
        scope.allocate("scratch/dora_gram", DType.F32, rank * rank),
        scope.allocate("scratch/dora_q", DType.F32, outputs * rank),
        scope.allocate("scratch/dora_v", DType.F32, v),
        scope.allocate("scratch/dora_dfactor", DType.F32, outputs));
  }
}
