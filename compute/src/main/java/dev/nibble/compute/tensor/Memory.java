package dev.nibble.compute.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Where a {@link Scope} takes its memory from. */
public interface Memory {

  /** The device that this memory belongs to. */
  Device device();

  /**
   * Takes {@code bytes} zeroed bytes, aligned to 64 or more, that are given back when {@code arena}
   * closes.
   *
   * @throws OutOfMemoryError when the device has not that much; {@link OutOfDeviceMemory} when it
   *     is an accelerator
   */
  MemorySegment allocate(long bytes, Arena arena);

  /** The host's memory. */
  static Memory host() {
    return new Memory() {
      @Override
      public Device device() {
        return Device.HOST;
      }

      @Override
      public MemorySegment allocate(long bytes, Arena arena) {
        return arena.allocate(bytes, 64);
      }
    };
  }
}
