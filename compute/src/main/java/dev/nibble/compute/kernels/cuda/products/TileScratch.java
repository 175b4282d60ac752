package dev.nibble.compute.kernels.cuda.products;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;

/** Device memory for one tile of a weight at a time. */
record TileScratch(Tensor memory) {

  long bytes() {
    return memory.bytes();
  }

  String name() {
    return memory.name();
  }

  /** The beginning of it, as a tensor. */
  Tensor of(DType dtype, long... dims) {
    Shape shape = Shape.of(dims);
    if (shape.elements() * dtype.bytes() > memory.bytes()) {
      throw new IllegalArgumentException(
          "%s%s takes more than the %d bytes of %s"
              .formatted(dtype, shape, memory.bytes(), memory.name()));
    }
    return new Tensor(
        memory.name(), dtype, shape, memory.device(), memory.memory(), memory.offset());
  }
}
