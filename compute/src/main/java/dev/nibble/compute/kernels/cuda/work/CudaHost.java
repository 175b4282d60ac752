package dev.nibble.compute.kernels.cuda.work;

import dev.nibble.compute.kernels.cuda.driver.CudaDevice;
import dev.nibble.compute.tensor.Memory;
import java.util.Optional;

/**
 * A library that lends device memory for the set's tensors and a stream for its kernels, in the
 * device's primary context, so that the work of both is ordered. Found by {@link
 * java.util.ServiceLoader}.
 */
public interface CudaHost {

  /** As recipes write it: {@code nd4j}. */
  String name();

  /** Why it cannot work on a device, with what to do about it; empty when it can. Cheap. */
  Optional<String> unavailableBecause(CudaDevice device);

  /**
   * Starts the library on a device. Call it on the thread that will train.
   *
   * @throws dev.nibble.compute.kernels.KernelUnavailable when it cannot work there
   */
  Place open(CudaDevice device);

  /**
   * The memory and stream that a library lends.
   *
   * @param memory device memory that it allocates
   * @param stream a CUstream, its own
   */
  record Place(Memory memory, long stream) {}
}
