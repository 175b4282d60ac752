package dev.nibble.api.estimate;

import dev.nibble.api.machine.HostMemory;
import dev.nibble.api.text.Human;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The memory that a run's tensors have to fit in.
 *
 * @param bytes of it
 * @param runtime bytes of it that the process takes besides its tensors
 * @param words where, and how much
 */
public record MemoryBudget(long bytes, long runtime, String words) {
  /**
   * What Java takes on the host: young generation, code, libraries, stacks. Measured, see
   * docs/performance.md.
   */
  static final long JAVA = 445L << 20;

  private static final double FILLED = 0.9;

  /** Bytes for tensors when activations are kept as far as they fit: not all, others live too. */
  public long filled() {
    return (long) (forTensors() * FILLED);
  }

  /** Bytes for tensors. */
  long forTensors() {
    return bytes - runtime;
  }

  /** This many bytes, because someone says so. */
  public static MemoryBudget of(long bytes, Kernels kernels) {
    return new MemoryBudget(bytes, runtime(kernels), Human.bytes(bytes) + ", as asked for");
  }

  /** What is free at the moment; empty where that is not known. */
  public static Optional<MemoryBudget> free(Kernels kernels) {
    Memory memory = kernels.memory();
    if (memory.device() instanceof Device.Host) {
      return HostMemory.now()
          .map(host ->
              new MemoryBudget(
                  host.available(),
                  JAVA,
                  "%s of this machine's %s are available"
                      .formatted(Human.bytes(host.available()), most(host))));
    }
    OptionalLong free = memory.free();
    return free.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new MemoryBudget(
                free.getAsLong(),
                0,
                "%s are free on %s".formatted(Human.bytes(free.getAsLong()), memory.device())));
  }

  /**
   * What a run may take at all: of a GPU what is free, of the host also what other programs hold,
   * who may be gone soon.
   */
  static Optional<MemoryBudget> most(Kernels kernels) {
    if (!(kernels.memory().device() instanceof Device.Host)) {
      return free(kernels);
    }
    return HostMemory.now()
        .map(host -> new MemoryBudget(host.most(), JAVA, "this machine has " + most(host)));
  }

  private static long runtime(Kernels kernels) {
    return kernels.memory().device() instanceof Device.Host ? JAVA : 0;
  }

  private static String most(HostMemory host) {
    return Human.bytes(host.most())
        + (host.limit().isPresent() ? " (the limit of its control group)" : "");
  }
}
