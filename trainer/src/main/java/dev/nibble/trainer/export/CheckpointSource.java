package dev.nibble.trainer.export;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.FourBitCheckpoint;
import dev.nibble.quant.FourBitFormat;
import dev.nibble.quant.FrozenWeights;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The tensors of a checkpoint as a model has them that is frozen in four bits, or as they are
 * stored. A checkpoint that is in four bits already is dequantised.
 */
public final class CheckpointSource implements TensorSource {
  private final ShardedSafetensors checkpoint;
  private final FourBitCheckpoint fourBit;
  private final Optional<FourBitFormat> format;
  private final Kernels kernels;

  /**
   * A source.
   *
   * @param checkpoint stays the caller's, and open
   * @param format what linear maps are rounded to; empty: as the checkpoint stores them
   */
  public CheckpointSource(
      ShardedSafetensors checkpoint, Optional<FourBitFormat> format, Kernels kernels) {
    this.checkpoint = checkpoint;
    this.fourBit = FourBitCheckpoint.of(checkpoint);
    this.format = format;
    this.kernels = kernels;
  }

  @Override
  public List<String> names() {
    return checkpoint.names().stream()
        .filter(Predicate.not(fourBit.statistics()::contains))
        .toList();
  }

  @Override
  public Shape shape(String name) {
    return fourBit
        .state(name)
        .map(state -> Shape.of(state.rows(), state.cols()))
        .orElseGet(() -> checkpoint.tensor(name).shape());
  }

  @Override
  public void read(String name, Tensor out) {
    if (shape(name).rank() != 2) {
      kernels.moving().copy(out, checkpoint.tensor(name));
      checkpoint.unload(name);
      return;
    }
    try (Scope one = Scope.open("tensor", kernels.memory())) {
      new FrozenWeights(checkpoint, fourBit, format, kernels, one)
          .load(name)
          .dequantizeInto(kernels, out);
    }
  }
}
