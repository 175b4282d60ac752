package dev.nibble.adapters;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/** The part of an adapter that is added to the rows of an embedding table [V, C]. */
public interface EmbeddingUpdate {

  /** Adds the tokens' updates to out [N, C]. */
  void forward(Kernels kernels, Tensor out, Tensor tokens);

  /** Adds to the gradients of the adapter's parameters, for dout [N, C]. */
  void backward(Kernels kernels, Tensor dout, Tensor tokens);
}
