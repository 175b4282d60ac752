package dev.nibble.api.estimate;

/**
 * The memory that a run's tensors have to fit in.
 *
 * @param bytes of it
 * @param runtime bytes of it that the process takes besides its tensors
 * @param words where, and how much
 */
public record MemoryBudget(long bytes, long runtime, String words) {
  private static final double FILLED = 0.9;

  /** Bytes for tensors. */
  public long forTensors() {
    return bytes - runtime;
  }

  /** Bytes for tensors when activations are kept as far as they fit: not all, others live too. */
  public long filled() {
    return (long) (forTensors() * FILLED);
  }
}
