package dev.nibble.trainer.export;

import dev.nibble.adapters.AdapterMerge;
import dev.nibble.adapters.ChangedBase;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.WeightFormat;
import dev.nibble.trainer.model.config.ModelTensors;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The tensors of a base model with an adapter merged into them, one tensor at a time.
 *
 * <p>A tied output head stays as it is when the adapter changes the embeddings, so it becomes a
 * tensor of its own.
 */
public final class MergedSource implements TensorSource {
  private final TensorSource base;
  private final AdapterMerge adapter;
  private final Kernels kernels;
  private final Set<String> stored;

  /**
   * A source.
   *
   * @param base what the adapter joins
   * @param adapter stays the caller's, and open
   */
  MergedSource(TensorSource base, AdapterMerge adapter, Kernels kernels) {
    this.base = base;
    this.adapter = adapter;
    this.kernels = kernels;
    this.stored = new LinkedHashSet<>(base.names());
  }

  /**
   * A source of a checkpoint's tensors with an adapter merged into them.
   *
   * @param checkpoint as {@link AdapterMerge#over} gives it; stays the caller's, and open
   * @param format what linear maps are rounded to first; empty: as the checkpoint stores them
   * @param adapter stays the caller's, and open
   */
  public static MergedSource of(
      ChangedBase checkpoint,
      Optional<WeightFormat> format,
      AdapterMerge adapter,
      Kernels kernels) {
    return new MergedSource(new CheckpointSource(checkpoint, format, kernels), adapter, kernels);
  }

  /** The base's tensors, and those that it lacks. */
  @Override
  public List<String> names() {
    Set<String> names = new LinkedHashSet<>(stored);
    names.addAll(adapter.additions(stored));
    if (adapter.changes(ModelTensors.EMBEDDING)) {
      names.add(ModelTensors.HEAD);
    }
    return List.copyOf(names);
  }

  @Override
  public Shape shape(String name) {
    String origin = origin(name);
    return stored.contains(origin) ? base.shape(origin) : adapter.shape(name);
  }

  @Override
  public void read(String name, Tensor out) {
    readFrozen(name, out);
    join(name, out);
  }

  /** Adds the adapter's part, if it has one in this tensor. */
  void join(String name, Tensor frozen) {
    if (changes(name)) {
      adapter.merge(name, frozen, kernels);
    }
  }

  /** True for a tensor that the adapter has a part in. */
  boolean changes(String name) {
    return adapter.changes(name);
  }

  /** The tensor without the adapter's part; zeros where only the adapter has such a tensor. */
  void readFrozen(String name, Tensor out) {
    String origin = origin(name);
    if (stored.contains(origin)) {
      base.read(origin, out);
    } else {
      kernels.moving().fill(out, 0);
    }
  }

  /** The tensor of the base that a tensor begins as. */
  private String origin(String name) {
    return name.equals(ModelTensors.HEAD) && !stored.contains(ModelTensors.HEAD)
        ? ModelTensors.EMBEDDING
        : name;
  }
}
