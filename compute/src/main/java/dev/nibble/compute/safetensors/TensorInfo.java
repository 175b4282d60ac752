package dev.nibble.compute.safetensors;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;

/**
 * Name, dtype and shape of a tensor to be written: what a header needs before the data.
 *
 * @param name its name in the file
 * @param shape row-major sizes
 */
public record TensorInfo(String name, DType dtype, Shape shape) {
  /** What {@code tensor} is, under the name it shall have in the file. */
  public static TensorInfo of(String name, Tensor tensor) {
    return new TensorInfo(name, tensor.dtype(), tensor.shape());
  }

  /**
   * Its size in the file.
   *
   * @throws ArithmeticException when that exceeds 2^63-1
   */
  public long bytes() {
    return Math.multiplyExact(shape.elements(), (long) dtype.bytes());
  }
}
