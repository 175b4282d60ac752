package dev.nibble.api.estimate;

import java.util.Map;

/**
 * Memory of a run's tensors, counted by the code that allocates it.
 *
 * @param groups bytes by group, the largest first
 * @param onHost bytes that a run on an accelerator has on the host besides
 */
public record MemoryPlan(Map<String, Long> groups, long onHost) {

  /** Bytes of all groups. */
  public long tensors() {
    return groups.values().stream().mapToLong(Long::longValue).sum();
  }
}
