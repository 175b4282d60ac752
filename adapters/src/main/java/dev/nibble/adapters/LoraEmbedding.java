package dev.nibble.adapters;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Tensor;

/**
 * A low-rank update of an embedding table [V, C], which is looked up like the table: token t adds s
 * B A[:, t]. There is no dropout.
 */
final class LoraEmbedding implements EmbeddingUpdate {
  private final Parameter a; // [r, V]
  private final Parameter b; // [C, r]
  private final double scale;
  private final LoraScratch scratch;

  LoraEmbedding(Parameter a, Parameter b, double scale, LoraScratch scratch) {
    this.a = a;
    this.b = b;
    this.scale = scale;
    this.scratch = scratch;
  }

  @Override
  public void forward(Kernels kernels, Tensor out, Tensor tokens) {
    kernels.products().linearForwardAdd(out, low(kernels, tokens), b.weight(), scale);
  }

  @Override
  public void backward(Kernels kernels, Tensor dout, Tensor tokens) {
    Tensor low = low(kernels, tokens);
    Tensor dlow = scratch.dlow().prefix(tokens.elements(), a.weight().rows());
    kernels.moving().fill(dlow, 0);
    kernels.products().linearBackwardWeight(b.gradient(), dout, low, scale);
    kernels.products().linearBackward(dlow, dout, b.weight(), scale);
    kernels.moving().gatherColumnsBackward(a.gradient(), dlow, tokens);
  }

  private Tensor low(Kernels kernels, Tensor tokens) {
    Tensor low = scratch.low().prefix(tokens.elements(), a.weight().rows());
    kernels.moving().gatherColumnsForward(low, a.weight(), tokens);
    return low;
  }
}
