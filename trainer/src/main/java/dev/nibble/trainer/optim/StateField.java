package dev.nibble.trainer.optim;

import dev.nibble.compute.kernels.DynamicMap;
import dev.nibble.compute.tensor.DType;

/**
 * One of the tensors that the state of weights consists of.
 *
 * @param suffix what follows a parameter's name in a checkpoint
 * @param per weights that share an element; 0 when the whole parameter has {@code fixed} elements
 */
record StateField(String suffix, DType dtype, int per, long fixed) {

  /** An element for each weight. */
  static StateField each(String suffix, DType dtype) {
    return new StateField(suffix, dtype, 1, 0);
  }

  /** The scales of blocks of 8-bit codes. */
  static StateField scales(String suffix) {
    return new StateField(suffix, DType.F32, DynamicMap.BLOCK, 0);
  }

  /** F32 elements for a whole parameter, which is then updated by a call of its own. */
  static StateField whole(String suffix, long elements) {
    return new StateField(suffix, DType.F32, 0, elements);
  }

  long elements(long weights) {
    return per == 0 ? fixed : Math.ceilDiv(weights, per);
  }

  long bytes(long weights) {
    return elements(weights) * dtype.bytes();
  }
}
