package dev.nibble.api.estimate;

import java.util.Map;

/**
 * What a run's tensors take, by the code that will take it.
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
