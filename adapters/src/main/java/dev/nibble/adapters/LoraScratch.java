package dev.nibble.adapters;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;

/**
 * Buffers that all LoRA projections of a model share, since one runs at a time.
 *
 * @param low [N, r]: A x
 * @param dlow [N, r]: its gradient
 * @param dropped [N, I]: the adapter's input after dropout; empty without dropout
 * @param ddropped [N, I]: its gradient; empty without dropout
 */
public record LoraScratch(Tensor low, Tensor dlow, Tensor dropped, Tensor ddropped) {

  /**
   * Takes the buffers, in the group "scratch".
   *
   * @param maxTokens the largest N
   * @param maxInputs the largest I
   */
  public static LoraScratch allocate(Scope scope, long maxTokens, long maxInputs, LoraSpec spec) {
    long dropped = spec.dropout() == 0 ? 0 : maxTokens * maxInputs;
    return new LoraScratch(
        scope.allocate("scratch/lora_low", DType.F32, maxTokens * spec.r()),
        scope.allocate("scratch/lora_dlow", DType.F32, maxTokens * spec.r()),
        scope.allocate("scratch/lora_dropped", DType.F32, dropped),
        scope.allocate("scratch/lora_ddropped", DType.F32, dropped));
  }
}
