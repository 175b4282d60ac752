package dev.nibble.adapters;

import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;

/**
 * Buffers of the dropout on adapters' inputs, which all adapted maps of a model share; empty where
 * nothing drops, and where nothing trains.
 *
 * @param dropped [N, I]: an adapter's input after dropout
 * @param gradient [N, I]: its gradient
 */
record DropoutScratch(Tensor dropped, Tensor gradient) {

  /**
   * Takes the buffers, in the group "scratch".
   *
   * @param rate of the dropout
   */
  static DropoutScratch allocate(
      Buffers buffers, double rate, List<AdapterTarget> targets, boolean train) {
    long size = rate == 0 || !train ? 0 : AdapterTarget.largest(targets, DropoutScratch::inputs);
    return new DropoutScratch(
        buffers.activation("scratch/adapter_dropped", size),
        buffers.activation("scratch/adapter_ddropped", size));
  }

  private static long inputs(AdapterTarget t) {
    return t.isEmbedding() ? 0 : t.maxTokens() * t.inputs();
  }
}
