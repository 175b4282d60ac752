package dev.nibble.compute.kernels.cuda.work;

import dev.nibble.compute.kernels.Pager;
import dev.nibble.compute.kernels.Paging;
import dev.nibble.compute.kernels.cuda.driver.Context;
import dev.nibble.compute.kernels.cuda.driver.Event;
import dev.nibble.compute.kernels.cuda.driver.PinnedMemory;
import dev.nibble.compute.kernels.cuda.driver.Stream;
import dev.nibble.compute.tensor.Tensor;

/**
 * A pager for a GPU: the first pages stay on the device, the others are kept in pinned host memory
 * and pass through two buffers on the device, even ones through the first and odd ones through the
 * second. Copies run on a stream of their own: while kernels work on a page, the next one is
 * fetched and the previous one is written back. Events order copies and kernels; the host never
 * waits.
 */
final class StreamedPages implements Pager {
  private static final int BUFFERS = Paging.BUFFERS;
  private static final int NONE = -1;

  private final Context context;
  private final Stream work;
  private final Pager resident;
  private final int stay;
  private final Tensor[] buffers;
  private final BufferState[] states = new BufferState[BUFFERS];
  private final PinnedMemory[] pinned;
  private final Stream copies;
  private final Owned owned = new Owned();

  /** The page that a buffer on the device holds, and the events of its use. */
  private static final class BufferState {
    private final Event fetched;
    private final Event worked;
    private int page = NONE;

    BufferState(Event fetched, Event worked) {
      this.fetched = fetched;
      this.worked = worked;
    }
  }

  /**
   * Allocates pinned memory for the pages after the first {@code stay}.
   *
   * @param work the stream of the kernels
   * @param buffers see {@link Paging#buffers}
   * @param resident the first pages
   */
  StreamedPages(
      Context context, Stream work, Tensor[] buffers, Pager resident, int stay, long[] pageBytes) {
    this.context = context;
    this.work = work;
    this.resident = resident;
    this.stay = stay;
    int streamed = pageBytes.length - stay;
    this.buffers = buffers;
    pinned = new PinnedMemory[streamed];
    try {
      copies = owned.add(new Stream(context), Stream::close);
      for (int s = 0; s < BUFFERS; s++) {
        states[s] = new BufferState(event(), event());
      }
      for (int i = 0; i < streamed; i++) {
        pinned[i] = owned.add(new PinnedMemory(context, pageBytes[stay + i]), PinnedMemory::close);
        pinned[i].segment().fill((byte) 0);
      }
      // Memory of the scope is zeroed on the kernels' stream; copies must come after.
      work.synchronize();
    } catch (RuntimeException | Error e) {
      owned.close();
      throw e;
    }
  }

  private Event event() {
    return owned.add(Event.ordering(context), Event::close);
  }

  @Override
  public Tensor page(int page) {
    return page < stay ? resident.page(page) : buffers[page - stay];
  }

  @Override
  public void enter(int page) {
    int i = page - stay;
    if (i >= 0) {
      fetch(i);
      work.waitFor(states[i % BUFFERS].fetched);
    }
    fetch(i + 1); // also while the last resident page is worked on
  }

  /** Starts copying a page to its buffer, after all copies so far, unless it is there. */
  private void fetch(int i) {
    if (i < 0 || i >= buffers.length || states[i % BUFFERS].page == i) {
      return;
    }
    BufferState state = states[i % BUFFERS];
    copies.copyToDevice(buffers[i].address(), pinned[i].segment().address(), buffers[i].bytes());
    state.fetched.record(copies);
    state.page = i;
  }

  @Override
  public void leave(int page) {
    int i = page - stay;
    if (i < 0) {
      return;
    }
    BufferState state = states[i % BUFFERS];
    state.worked.record(work);
    copies.waitFor(state.worked);
    copies.copyToHost(pinned[i].segment().address(), buffers[i].address(), buffers[i].bytes());
    state.page = NONE;
  }

  @Override
  public void close() {
    try {
      if (!context.isLost()) {
        copies.synchronize();
      }
    } finally {
      resident.close();
      owned.close();
    }
  }
}
