package dev.nibble.api.planning;

import dev.nibble.api.estimate.MemoryBudget;
import dev.nibble.api.machine.HostMemory;
import dev.nibble.api.text.Human;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import java.util.Optional;

/** The memory budget that a machine or its GPU offers. */
public final class FreeMemory {
  /**
   * What Java takes on the host: young generation, code, libraries, stacks. Measured, see
   * docs/performance.md.
   */
  public static final long JAVA = 445L << 20;

  /**
   * What a GPU loses besides tensors: the kernels' scratch, a context, and the code of kernels and
   * of cuBLAS, which is 350 to 600 MiB by the card. Reckoned, not measured.
   */
  public static final long GPU = 750L << 20;

  private FreeMemory() {}

  /** This many bytes, because someone says so. */
  public static MemoryBudget of(long bytes, Kernels kernels) {
    long runtime = kernels.memory().device() instanceof Device.Host ? JAVA : GPU;
    return new MemoryBudget(bytes, runtime, Human.bytes(bytes) + ", as asked for");
  }

  /**
   * What is free at the moment; empty where that is not known. On a GPU, the context and the
   * kernels' scratch are not free any more.
   */
  public static Optional<MemoryBudget> now(Kernels kernels) {
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
    return memory
        .space()
        .map(space ->
            new MemoryBudget(
                space.free(),
                0,
                "%s are free on %s".formatted(Human.bytes(space.free()), memory.device())));
  }

  /**
   * What a run may take at all: of a GPU what is free, of the host also what other programs hold,
   * who may be gone soon.
   */
  public static Optional<MemoryBudget> most(Kernels kernels) {
    if (!(kernels.memory().device() instanceof Device.Host)) {
      return now(kernels);
    }
    return HostMemory.now()
        .map(host -> new MemoryBudget(host.most(), JAVA, "this machine has " + most(host)));
  }

  private static String most(HostMemory host) {
    return Human.bytes(host.most())
        + (host.limit().isPresent() ? " (the limit of its control group)" : "");
  }
}
