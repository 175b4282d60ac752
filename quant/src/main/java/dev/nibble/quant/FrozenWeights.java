package dev.nibble.quant;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Loads frozen weights from a checkpoint, one at a time: at no moment is more than one matrix in
 * memory that is not quantised.
 */
public final class FrozenWeights {
  private static final String GROUP = "weights/";

  private final ShardedSafetensors checkpoint;
  private final Optional<QuantizedAllocator> allocator;
  private final Kernels kernels;
  private final Scope scope;

  /**
   * A loader.
   *
   * @param checkpoint stays the caller's, and open while loading
   * @param format what linear maps are quantised to; empty leaves all as stored
   * @param scope owns the weights; must be of the kernels' memory
   */
  public FrozenWeights(
      ShardedSafetensors checkpoint, Optional<FourBitFormat> format, Kernels kernels, Scope scope) {
    this.checkpoint = checkpoint;
    this.allocator = format.map(f -> new QuantizedAllocator(kernels, scope, f));
    this.kernels = kernels;
    this.scope = scope;
  }

  /**
   * Reads a matrix [O, I]. It is quantised from the values that the checkpoint stores, as
   * bitsandbytes does; without a format, and for {@code lm_head} and {@code embed_tokens}, it is
   * copied in the checkpoint's dtype.
   *
   * @param name for example {@code model.layers.0.self_attn.q_proj.weight}
   * @throws UnusableWeight when the tensor is no matrix of F32, BF16 or F16, or holds a NaN or an
   *     infinity that quantising would spread over its block
   */
  public FrozenWeight load(String name) {
    Tensor stored = checkpoint.tensor(name);
    check(stored);
    FrozenWeight weight =
        allocator.isPresent() && !StoredModules.keeps(name)
            ? new FrozenWeight.FourBit(quantize(allocator.get(), stored))
            : new FrozenWeight.Dense(copy(stored));
    checkpoint.unload(name);
    return weight;
  }

  private static void check(Tensor stored) {
    boolean readable =
        switch (stored.dtype()) {
          case F32, BF16, F16 -> true;
          default -> false;
        };
    if (!readable || stored.shape().rank() != 2) {
      throw new UnusableWeight(
          "tensor '%s' is %s%s, but the weight of a linear map must be F32, BF16 or F16 [outputs, inputs]"
              .formatted(stored.name(), stored.dtype(), stored.shape()));
    }
  }

  private Tensor copy(Tensor stored) {
    Tensor copy = scope.allocate(GROUP + stored.name(), stored.dtype(), stored.shape().dims());
    kernels.copy(copy, stored);
    return copy;
  }

  private Quantized quantize(QuantizedAllocator into, Tensor stored) {
    checkFinite(stored);
    Quantized quantized = into.allocate(stored.name(), stored.dim(0), stored.dim(1));
    if (kernels.memory().device() instanceof Device.Host) {
      kernels.quantize(quantized, stored);
    } else {
      try (Scope staging = Scope.open("staging", kernels.memory(), Scope.UNLIMITED)) {
        Tensor near = staging.allocate(stored.name(), stored.dtype(), stored.shape().dims());
        kernels.copy(near, stored);
        kernels.quantize(quantized, near);
      }
    }
    return quantized;
  }

  private static void checkFinite(Tensor stored) {
    OptionalLong bad = NonFinite.first(stored);
    if (bad.isPresent()) {
      throw new UnusableWeight(
          "tensor '%s' has %s at [%d, %d], which cannot be quantised. The checkpoint is damaged, or overflowed when it was saved as %s"
              .formatted(
                  stored.name(),
                  stored.getFloat(bad.getAsLong()),
                  bad.getAsLong() / stored.cols(),
                  bad.getAsLong() % stored.cols(),
                  stored.dtype()));
    }
  }
}
