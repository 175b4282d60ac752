package dev.nibble.compute.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** An allocator that a {@link Scope} takes its memory from. */
public interface Memory {

  /** The device that this memory belongs to. */
  Device device();

  /** Whether tensors here have sizes and no values, see {@link #planned}. */
  default boolean isPlanned() {
    return device() instanceof Device.Planned;
  }

  /**
   * Takes {@code bytes} zeroed bytes, aligned to 64 or more, that are given back when {@code arena}
   * closes.
   *
   * @throws OutOfMemoryError when the device has not that much; {@link OutOfDeviceMemory} when it
   *     is an accelerator
   */
  MemorySegment allocate(long bytes, Arena arena);

  /** What there is of it at the moment; empty where that is not known. */
  default Optional<Space> space() {
    return Optional.empty();
  }

  /**
   * Bytes of a device's memory.
   *
   * @param free what no program holds
   * @param total all
   */
  record Space(long free, long total) {}

  /**
   * Memory that counts and holds nothing: a scope of it has the tensors, groups and bytes of one of
   * {@code real} that the same code fills.
   */
  static Memory planned(Memory real) {
    Device device = new Device.Planned(real.device());
    return new Memory() {
      @Override
      public Device device() {
        return device;
      }

      @Override
      public MemorySegment allocate(long bytes, Arena arena) {
        return MemorySegment.NULL;
      }
    };
  }

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
