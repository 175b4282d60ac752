package dev.nibble.cli.bench;

import dev.nibble.compute.tensor.Memory;

/**
 * Memory of a device, of which the driver knows more than tensors: rounding, and what libraries
 * take.
 *
 * @param before what there was when the kernels were open, with their scratch, and no model was
 * @param after what there was after the steps
 */
public record DeviceUse(Memory.Space before, Memory.Space after) {

  /** Bytes that the model and its training took. */
  public long taken() {
    return before.free() - after.free();
  }

  /** Bytes that are not free, whoever holds them: contexts, kernels, other programs. */
  public long inUse() {
    return after.total() - after.free();
  }
}
