package dev.nibble.adapters;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * Buffers that all adapted maps of a model share, since one runs at a time. Those that a spec does
 * not need are empty.
 *
 * @param low [N, r]: A x
 * @param dlow [N, r]: its gradient
 * @param dropped [N, I]: the adapter's input after dropout
 * @param ddropped [N, I]: its gradient
 * @param ones [N, 1]
 */
record LoraScratch(Tensor low, Tensor dlow, Tensor dropped, Tensor ddropped, Tensor ones) {

  /**
   * Takes the buffers, in the group "scratch".
   *
   * @param maxTokens the largest N
   * @param maxInputs the largest I
   */
  static LoraScratch allocate(Scope scope, LoraSpec spec, long maxTokens, long maxInputs) {
    long rank = spec.ranks().largest();
    long dropped = spec.dropout() == 0 ? 0 : maxTokens * maxInputs;
    return new LoraScratch(
        scope.allocate("scratch/lora_low", DType.F32, maxTokens * rank),
        scope.allocate("scratch/lora_dlow", DType.F32, maxTokens * rank),
        scope.allocate("scratch/lora_dropped", DType.F32, dropped),
        scope.allocate("scratch/lora_ddropped", DType.F32, dropped),
        scope.allocate("scratch/lora_ones", DType.F32, spec.bias() ? maxTokens : 0));
  }
}
