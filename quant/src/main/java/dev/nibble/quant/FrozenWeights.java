package dev.nibble.quant;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.FrozenMatrix;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A loader of frozen weights from a checkpoint, one at a time: at no moment is more than one matrix
 * in memory that is not quantised.
 *
 * <p>A checkpoint that is quantised already stays as it is: codes and scales are taken over to the
 * bit, and what it left dense stays dense.
 */
public final class FrozenWeights {
  private final StoredTensors checkpoint;
  private final StoredWeights stored;
  private final StoredWeights.Loader loader;
  private final Optional<Target> target;
  private final Kernels kernels;
  private final Scope scope;

  /** What dense linear maps are brought to. */
  private record Target(WeightFormat format, WeightFormat.Allocator allocator) {}

  /**
   * A loader.
   *
   * @param checkpoint stays the caller's, and open while loading
   * @param format what linear maps are quantised to; empty leaves all as stored
   * @param scope owns the weights; must be of the kernels' memory
   * @throws UnusableWeight when the checkpoint is quantised, but damaged or in another format
   */
  public FrozenWeights(
      StoredTensors checkpoint, Optional<WeightFormat> format, Kernels kernels, Scope scope) {
    this(checkpoint, CheckpointReaders.find(checkpoint), format, kernels, scope);
  }

  /** The same for a checkpoint whose quantised weights are known: {@code stored}. */
  public FrozenWeights(
      StoredTensors checkpoint,
      StoredWeights stored,
      Optional<WeightFormat> format,
      Kernels kernels,
      Scope scope) {
    this.checkpoint = checkpoint;
    this.stored = stored;
    this.loader = stored.loader(kernels, scope);
    stored.format().ifPresent(found -> checkFormat(found, format));
    this.target =
        stored.format().isPresent()
            ? Optional.empty()
            : format.map(f -> new Target(f, f.allocator(kernels, scope)));
    this.kernels = kernels;
    this.scope = scope;
  }

  private static void checkFormat(WeightFormat found, Optional<WeightFormat> asked) {
    if (asked.isPresent() && !asked.get().equals(found)) {
      throw new UnusableWeight(
          "the checkpoint is in %s already and cannot be put in %s"
              .formatted(found.describe(), asked.get().describe()));
    }
  }

  /**
   * Reads a matrix [O, I]. One that is quantised already is taken as it is. Another is quantised
   * from the values that the checkpoint stores; without a format, and for {@code lm_head} and
   * {@code embed_tokens}, it is copied in the checkpoint's dtype.
   *
   * @param name for example {@code model.layers.0.self_attn.q_proj.weight}
   * @throws UnusableWeight when the tensor is no matrix of F32, BF16 or F16, or holds a NaN or an
   *     infinity
   */
  public FrozenMatrix load(String name) {
    if (stored.shape(name).isPresent()) {
      return loader.load(name);
    }
    return encoded(name, this::round);
  }

  /**
   * Reads a dense matrix, which is fitted to the moments of its inputs.
   *
   * @throws UnusableWeight as {@link #load(String)} does, and when the moments cannot be used
   * @throws IllegalStateException unless the format is a {@link CalibratedFormat}
   */
  public FrozenMatrix load(String name, SecondMoments moments) {
    return encoded(
        name,
        (format, out, in) -> {
          if (!(format instanceof CalibratedFormat calibrated)) {
            throw new IllegalStateException(format.describe() + " takes no moments");
          }
          calibrated.encode(kernels, out, in, moments);
        });
  }

  /** Brings values to the form of a matrix. */
  private interface Encoder {
    void encode(WeightFormat format, FrozenMatrix out, Tensor in);
  }

  private void round(WeightFormat format, FrozenMatrix out, Tensor in) {
    format.encode(kernels, out, in);
  }

  private FrozenMatrix encoded(String name, Encoder encoder) {
    Tensor dense = checkpoint.tensor(name);
    check(dense);
    NonFinite.refuse(dense, checkpoint.placeOf(name), kernels);
    FrozenMatrix weight = allocate(dense);
    encode(weight, dense, encoder);
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
   * @throws UnusableWeight also when the checkpoint holds it quantised, where its own values are
   *     lost
   */
  public FrozenMatrix load(String name, Change change) {
    if (stored.shape(name).isPresent()) {
      throw new UnusableWeight(
          "tensor '%s' is quantised in the checkpoint; an initialisation that changes the base weights needs them in full precision"
              .formatted(name));
    }
    Tensor dense = checkpoint.tensor(name);
    check(dense);
    NonFinite.refuse(dense, checkpoint.placeOf(name), kernels);
    try (Scope staging = Scope.open("staging", kernels.memory())) {
      Tensor weight = staging.allocate(name, DType.F32, dense.shape().dims());
      kernels.moving().copy(weight, dense);
      FrozenMatrix kept = allocate(dense);
      change.apply(
          weight,
          t -> {
            encode(kept, t.named(name), this::round);
            kernels.products().decode(t, kept);
          });
      encode(kept, weight, this::round);
      return kept;
    } finally {
      checkpoint.unload(name);
    }
  }

  private static void check(Tensor stored) {
    boolean readable =
        switch (stored.dtype()) {
          case F32, BF16, F16 -> true;
          default -> false;
        };
    if (!readable || stored.shape().rank() != 2) {
      throw new UnusableWeight(
          "tensor '%s' is %s%s, but the weight of a linear layer must be F32, BF16 or F16 [outputs, inputs]"
              .formatted(stored.name(), stored.dtype(), stored.shape()));
    }
  }

  /** A matrix of a checkpoint's dense one: in the format, or where it stays dense in its dtype. */
  private FrozenMatrix allocate(Tensor dense) {
    boolean kept = StoredModules.keeps(dense.name());
    if (target.isPresent() && !kept) {
      return target.get().allocator().allocate(dense.name(), dense.dim(0), dense.dim(1));
    }
    String group = kept ? "embeddings/" : "weights/";
    return new Dense(scope.allocate(group + dense.name(), dense.dtype(), dense.shape().dims()));
  }

  /** Values that lie elsewhere are brought to the kernels' memory first. */
  private void encode(FrozenMatrix out, Tensor in, Encoder encoder) {
    if (out instanceof Dense(Tensor weight)) {
      kernels.moving().copy(weight, in);
      return;
    }
    WeightFormat format = target.orElseThrow().format();
    if (in.device().equals(kernels.memory().device())) {
      encoder.encode(format, out, in);
      return;
    }
    try (Scope staging = Scope.open("staging", kernels.memory())) {
      Tensor near = staging.allocate(in.name(), in.dtype(), in.shape().dims());
      kernels.moving().copy(near, in);
      encoder.encode(format, out, near);
    }
  }
}
