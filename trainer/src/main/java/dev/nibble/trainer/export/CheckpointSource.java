package dev.nibble.trainer.export;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.StoredTensors;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.CheckpointReaders;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.NonFinite;
import dev.nibble.quant.StoredWeights;
import dev.nibble.quant.WeightFormat;
import java.util.List;
import java.util.Optional;

/**
 * The tensors of a checkpoint as a model has them that is frozen in a weight format, or as they are
 * stored. A checkpoint that is quantised already is decoded.
 */
public final class CheckpointSource implements TensorSource {
  private final StoredTensors checkpoint;
  private final StoredWeights stored;
  private final Optional<WeightFormat> format;
  private final Kernels kernels;

  /**
   * A source.
   *
   * @param checkpoint stays the caller's, and open
   * @param format what linear maps are rounded to; empty: as the checkpoint stores them
   */
  public CheckpointSource(
      StoredTensors checkpoint, Optional<WeightFormat> format, Kernels kernels) {
    this.checkpoint = checkpoint;
    this.stored = CheckpointReaders.find(checkpoint);
    this.format = format;
    this.kernels = kernels;
  }

  @Override
  public List<String> names() {
    return List.copyOf(stored.tensors(checkpoint.names()));
  }

  @Override
  public Shape shape(String name) {
    return stored.shape(name).orElseGet(() -> checkpoint.tensor(name).shape());
  }

  @Override
  public void read(String name, Tensor out) {
    if (shape(name).rank() != 2) {
      NonFinite.refuse(checkpoint.tensor(name), checkpoint.placeOf(name), kernels);
      kernels.moving().copy(out, checkpoint.tensor(name));
      checkpoint.unload(name);
      return;
    }
    try (Scope one = Scope.open("tensor", kernels.memory())) {
      FrozenWeights weights = new FrozenWeights(checkpoint, stored, format, kernels, one);
      kernels.products().decode(out, weights.load(name));
    }
  }
}
