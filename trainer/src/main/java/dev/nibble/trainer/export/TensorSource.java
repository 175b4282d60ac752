package dev.nibble.trainer.export;

import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.util.List;

/** The tensors of a checkpoint in Hugging Face's names, read one at a time. */
public interface TensorSource {
  /** Names, in the checkpoint's order. */
  List<String> names();

  /** The shape of one of {@link #names}. */
  Shape shape(String name);

  /**
   * Writes a tensor's values.
   *
   * @param out F32 in the memory that the source works in, of {@link #shape}
   */
  void read(String name, Tensor out);
}
