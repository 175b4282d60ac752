package dev.nibble.data.arrow;

import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;

/**
 * Allocators of Arrow's off-heap memory, one child for each cursor, which fails on closing when
 * something leaked.
 */
final class Allocators {
  private static final BufferAllocator ROOT = new RootAllocator();

  private Allocators() {}

  /**
   * An allocator.
   *
   * @param most bytes that it may have at once
   */
  static BufferAllocator child(String name, long most) {
    return ROOT.newChildAllocator(name, 0, most);
  }
}
