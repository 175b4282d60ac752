package dev.nibble.quant;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.Quantized;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Loads frozen weights from a checkpoint, one at a time: at no moment is more than one matrix in
 * memory that is not quantised.
 *
 * <p>A checkpoint that is in 4 bits already stays as it is: codes and scales are taken over to the
 * bit, and what it left dense stays dense.
 */
public final class FrozenWeights {
  private final StoredTensors checkpoint;
  private final FourBitCheckpoint fourBit;
  private final StoredFourBit stored;
  private final Optional<QuantizedAllocator> allocator;
  private final Kernels kernels;
  private final Scope scope;

  /**
   * A loader.
   *
   * @param checkpoint stays the caller's, and open while loading
   * @param format what linear maps are quantised to; empty leaves all as stored
   * @param scope owns the weights; must be of the kernels' memory
   * @throws UnusableWeight when the checkpoint is in 4 bits, but damaged or in another format
   */
  public FrozenWeights(
      StoredTensors checkpoint, Optional<FourBitFormat> format, Kernels kernels, Scope scope) {
    this(checkpoint, FourBitCheckpoint.of(checkpoint), format, kernels, scope);
  }

  /** The same for a checkpoint whose 4-bit weights are known: {@code fourBit}. */
  public FrozenWeights(
      StoredTensors checkpoint,
      FourBitCheckpoint fourBit,
      Optional<FourBitFormat> format,
      Kernels kernels,
      Scope scope) {
    this.checkpoint = checkpoint;
    this.fourBit = fourBit;
    this.stored = new StoredFourBit(checkpoint, kernels, scope);
    fourBit.format().ifPresent(found -> checkFormat(found, format));
    this.allocator =
        fourBit.format().isPresent()
            ? Optional.empty()
            : format.map(f -> new QuantizedAllocator(kernels, scope, f));
    this.kernels = kernels;
    this.scope = scope;
  }

  private static void checkFormat(FourBitFormat found, Optional<FourBitFormat> asked) {
    if (asked.isPresent() && !asked.get().equals(found)) {
      throw new UnusableWeight(
          "the checkpoint is in %s already and cannot be put in %s".formatted(found, asked.get()));
    }
  }

  /**
   * Reads a matrix [O, I]. One that is in 4 bits already is taken as it is. Another is quantised
   * from the values that the checkpoint stores, as bitsandbytes does; without a format, and for
   * {@code lm_head} and {@code embed_tokens}, it is copied in the checkpoint's dtype.
   *
   * @param name for example {@code model.layers.0.self_attn.q_proj.weight}
   * @throws UnusableWeight when the tensor is no matrix of F32, BF16 or F16, or holds a NaN or an
   *     infinity that quantising would spread over its block
   */
  public FrozenWeight load(String name) {
    Optional<QuantState> state = fourBit.state(name);
    if (state.isPresent()) {
      return new FrozenWeight.FourBit(stored.load(name, state.get()));
    }
    Tensor dense = checkpoint.tensor(name);
    check(dense);
    FrozenWeight weight =
        allocator.isPresent() && !StoredModules.keeps(name)
            ? new FrozenWeight.FourBit(quantize(allocator.get(), dense))
            : new FrozenWeight.Dense(copy(dense));
    checkpoint.unload(name);
    return weight;
  }

  /** Changes the values of a weight on their way from the checkpoint to where it is kept. */
  public interface Change {

    /**
     * Puts other values in the place of the checkpoint's.
     *
     * @param weight F32 [O, I], in the kernels' memory
     * @param rounding sets an F32 [O, I] to what would be left of it, were it kept
     */
    void apply(Tensor weight, Consumer<Tensor> rounding);
  }

  /**
   * Reads a matrix as {@link #load(String)} does, with other values.
   *
   * @throws UnusableWeight also when the checkpoint holds it in 4 bits, where its own values are
   *     lost
   */
  public FrozenWeight load(String name, Change change) {
    if (fourBit.state(name).isPresent()) {
      throw new UnusableWeight(
          "tensor '%s' is in 4 bits in the checkpoint; an initialisation that changes the base weights needs them in full precision"
              .formatted(name));
    }
    Tensor stored = checkpoint.tensor(name);
    check(stored);
    checkFinite(stored);
    try (Scope staging = Scope.open("staging", kernels.memory())) {
      Tensor weight = staging.allocate(name, DType.F32, stored.shape().dims());
      kernels.moving().copy(weight, stored);
      return allocator.isPresent() && !StoredModules.keeps(name)
          ? changed(allocator.get().allocate(name, stored.dim(0), stored.dim(1)), weight, change)
          : changed(copy(stored), weight, change);
    } finally {
      checkpoint.unload(name);
    }
  }

  private FrozenWeight changed(Quantized kept, Tensor weight, Change change) {
    change.apply(
        weight,
        t -> {
          kernels.products().quantize(kept, t);
          kernels.products().dequantize(t, kept);
        });
    kernels.products().quantize(kept, weight);
    return new FrozenWeight.FourBit(kept);
  }

  private FrozenWeight changed(Tensor kept, Tensor weight, Change change) {
    change.apply(
        weight,
        t -> {
          kernels.moving().copy(kept, t);
          kernels.moving().copy(t, kept);
        });
    kernels.moving().copy(kept, weight);
    return new FrozenWeight.Dense(kept);
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
    String group = StoredModules.keeps(stored.name()) ? "embeddings/" : "weights/";
    Tensor copy = scope.allocate(group + stored.name(), stored.dtype(), stored.shape().dims());
    kernels.moving().copy(copy, stored);
    return copy;
  }

  private Quantized quantize(QuantizedAllocator into, Tensor stored) {
    checkFinite(stored);
    Quantized quantized = into.allocate(stored.name(), stored.dim(0), stored.dim(1));
    if (kernels.memory().device() instanceof Device.Host) {
      kernels.products().quantize(quantized, stored);
    } else {
      try (Scope staging = Scope.open("staging", kernels.memory())) {
        Tensor near = staging.allocate(stored.name(), stored.dtype(), stored.shape().dims());
        kernels.moving().copy(near, stored);
        kernels.products().quantize(quantized, near);
      }
    }
    return quantized;
  }

  private void checkFinite(Tensor stored) {
    if (kernels.memory().isPlanned()) {
      return; // a plan reads no weights
    }
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
