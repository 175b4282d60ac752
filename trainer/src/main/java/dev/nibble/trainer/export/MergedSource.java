package dev.nibble.trainer.export;

import dev.nibble.adapters.AdapterMerge;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.FourBitCheckpoint;
import dev.nibble.quant.FourBitFormat;
import dev.nibble.quant.FrozenWeights;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The tensors of a base model with an adapter merged into them: W + s B A for LoRA
 * (arXiv:2106.09685), one tensor at a time.
 */
public final class MergedSource implements TensorSource {
  static final String EMBEDDING = "model.embed_tokens.weight";
  static final String HEAD = "lm_head.weight";

  private final ShardedSafetensors base;
  private final FourBitCheckpoint fourBit;
  private final Optional<FourBitFormat> format;
  private final AdapterMerge adapter;
  private final Kernels kernels;

  /**
   * A source.
   *
   * @param base stays the caller's, and open; may be in 4 bits already
   * @param format what linear maps are rounded to before the adapter joins them: the format that
   *     the adapter was trained against, or empty for the weights as the checkpoint stores them
   * @param adapter stays the caller's, and open
   * @param kernels of host memory
   */
  public MergedSource(
      ShardedSafetensors base,
      Optional<FourBitFormat> format,
      AdapterMerge adapter,
      Kernels kernels) {
    this.base = base;
    this.fourBit = FourBitCheckpoint.of(base);
    this.format = format;
    this.adapter = adapter;
    this.kernels = kernels;
  }

  /**
   * The base's tensors and those that only the adapter has. A tied output head stays as it is when
   * the adapter changes the embeddings, so it becomes a tensor of its own.
   */
  @Override
  public List<String> names() {
    Set<String> names = new LinkedHashSet<>(base.names());
    names.removeAll(fourBit.statistics());
    names.addAll(adapter.additions(names));
    if (adapter.changes(EMBEDDING)) {
      names.add(HEAD);
    }
    return List.copyOf(names);
  }

  @Override
  public Shape shape(String name) {
    String stored = stored(name);
    if (!base.has(stored)) {
      return adapter.shape(name);
    }
    return fourBit
        .state(stored)
        .map(state -> Shape.of(state.rows(), state.cols()))
        .orElseGet(() -> base.tensor(stored).shape());
  }

  /** The tensor of the base that a tensor begins as. */
  private String stored(String name) {
    return name.equals(HEAD) && !base.has(HEAD) ? EMBEDDING : name;
  }

  @Override
  public void read(String name, Tensor out) {
    readFrozen(name, out);
    if (changes(name)) {
      adapter.merge(name, out, kernels);
    }
  }

  /** True for a tensor that the adapter has a part in. */
  boolean changes(String name) {
    return adapter.changes(name);
  }

  /** The tensor without the adapter's part; zeros where only the adapter has such a tensor. */
  void readFrozen(String name, Tensor out) {
    String source = stored(name);
    if (!base.has(source)) {
      kernels.fill(out, 0);
      return;
    }
    Tensor stored = base.tensor(source);
    if (stored.shape().rank() != 2) {
      kernels.copy(out, stored);
      base.unload(source);
      return;
    }
    try (Scope one = Scope.open("merge", kernels.memory(), Scope.UNLIMITED)) {
      new FrozenWeights(base, fourBit, format, kernels, one)
          .load(source)
          .dequantizeInto(kernels, out);
    }
  }
}
