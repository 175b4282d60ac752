package dev.nibble.quant;

import dev.nibble.compute.safetensors.StoredTensors;
import java.util.Optional;

/**
 * Finds the weights that a checkpoint stores in one kind of format. A service: {@link
 * CheckpointReaders} asks every reader on the class path.
 */
public interface CheckpointReader {

  /** What it reads, for errors: {@code "bitsandbytes" in 4 bits}. */
  String reads();

  /**
   * The weights, by the checkpoint's tensors.
   *
   * @return empty when none is of this kind
   * @throws UnusableWeight when some are, but damaged; it names file, tensor, what was expected and
   *     what was found
   */
  Optional<StoredWeights> find(StoredTensors checkpoint);

  /**
   * What the {@code quantization_config} of a config.json tells of the format, as {@link
   * CheckpointLayout#summary} words it.
   *
   * @return empty when it is of another method
   * @throws RuntimeException {@link ConfigSection#wrong} of a key, when it is this method in a
   *     variety that this does not read
   */
  Optional<String> summary(ConfigSection config);
}
