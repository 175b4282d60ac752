package dev.nibble.trainer.model.layers;

import dev.nibble.adapters.ForwardMode;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/** The source of the input of the first layer. */
public sealed interface Embedder permits Embedding {

  /** out [N, C]: a row for each token of the batch. */
  void forward(Kernels kernels, Tensor out, Sequences batch, ForwardMode mode);

  /**
   * Adds to the gradients of what trains.
   *
   * @param dout [N, C]; may be overwritten
   */
  void backward(Kernels kernels, Tensor dout, Sequences batch);

  /** Whether {@link #backward} does anything. */
  boolean trains();
}
