package dev.nibble.compute.kernels.cuda.work;

import dev.nibble.compute.kernels.cuda.driver.Context;
import dev.nibble.compute.kernels.cuda.driver.Event;
import dev.nibble.compute.kernels.cuda.driver.PinnedMemory;
import dev.nibble.compute.kernels.cuda.driver.Stream;
import java.lang.foreign.MemorySegment;

/**
 * Copies from any memory of the host to the device, through a ring of pinned slots. The driver may
 * read pageable memory after the call has returned, when its owner has given it back; and pinned
 * memory is copied several times faster.
 */
final class Uploads implements AutoCloseable {
  private static final int SLOTS = 16;
  private static final long SLOT_BYTES = 1L << 20;

  private final Owned owned = new Owned();
  private final Stream stream;
  private final PinnedMemory pinned;
  private final Event[] copied = new Event[SLOTS];
  private int next;

  Uploads(Context context, Stream stream) {
    this.stream = stream;
    try {
      pinned = owned.add(new PinnedMemory(context, SLOTS * SLOT_BYTES), PinnedMemory::close);
      for (int i = 0; i < SLOTS; i++) {
        copied[i] = owned.add(Event.ordering(context), Event::close);
      }
    } catch (RuntimeException e) {
      owned.close();
      throw e;
    }
  }

  /** Puts a copy on the stream. When this returns, the source may be changed or given back. */
  void copy(long to, MemorySegment from, long bytes) {
    MemorySegment slots = pinned.segment();
    for (long done = 0; done < bytes; done += SLOT_BYTES) {
      long some = Math.min(SLOT_BYTES, bytes - done);
      copied[next].synchronize();
      MemorySegment slot = slots.asSlice(next * SLOT_BYTES, some);
      MemorySegment.copy(from, done, slot, 0, some);
      stream.copyToDevice(to + done, slot.address(), some);
      copied[next].record(stream);
      next = (next + 1) % SLOTS;
    }
  }

  @Override
  public void close() {
    owned.close();
  }
}
