package dev.nibble.trainer.export.gguf;

import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.export.ExportException;
import java.nio.charset.StandardCharsets;

/**
 * A tensor to be written.
 *
 * @param name at most 63 bytes
 * @param shape one to four sizes; a row is whole blocks of the type
 * @param type how its values are stored
 * @param values gives them when they are due
 */
record GgufTensor(String name, Shape shape, GgufType type, Values values) {
  private static final int NAME_LIMIT = 64;
  private static final int MAX_RANK = 4;

  /** Where a tensor's values come from. */
  interface Values {
    /** Sets all elements of {@code out}: F32, on the host, of the tensor's shape. */
    void read(Tensor out);
  }

  /** Checks what readers refuse. */
  GgufTensor {
    if (name.getBytes(StandardCharsets.UTF_8).length >= NAME_LIMIT) {
      throw new ExportException(
          "tensor name '%s' is too long: GGUF allows less than %d bytes"
              .formatted(name, NAME_LIMIT));
    }
    if (shape.rank() < 1 || shape.rank() > MAX_RANK || shape.elements() == 0) {
      throw new ExportException(
          "tensor '%s' has shape %s: GGUF holds one to %d dimensions, none empty"
              .formatted(name, shape, MAX_RANK));
    }
    if (!type.fits(shape)) {
      throw new IllegalArgumentException(
          "%s%s is not whole blocks of %s".formatted(name, shape, type));
    }
  }

  /** A vector of F32 that is known already. */
  static GgufTensor vector(String name, float[] values) {
    return new GgufTensor(
        name, Shape.of(values.length), GgufType.F32, out -> out.put(values.clone()));
  }

  long bytes() {
    return type.bytes(shape.elements());
  }
}
