package dev.nibble.compute.kernels.cuda.work;

import dev.nibble.compute.kernels.Pager;
import dev.nibble.compute.kernels.Paging;
import dev.nibble.compute.kernels.cuda.driver.Context;
import dev.nibble.compute.kernels.cuda.driver.Event;
import dev.nibble.compute.kernels.cuda.driver.PinnedMemory;
import dev.nibble.compute.kernels.cuda.driver.Stream;
import dev.nibble.compute.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Pages of which the first ones stay on the device and the others live in pinned memory of the
 * host. They pass through two places on the device, even ones through the first and odd ones
 * through the second. A stream of its own copies: while kernels work on a page, the next one is
 * fetched, and the one before goes home. Only what copies and kernels must wait for is in events;
 * the host waits for nothing.
 */
final class StreamedPages implements Pager {
  private static final int SLOTS = Paging.SLOTS;
  private static final int NONE = -1;

  private final Context context;
  private final Stream work;
  private final Pager resident;
  private final int stay;
  private final Tensor[] places;
  private final Slot[] slots = new Slot[SLOTS];
  private final PinnedMemory[] homes;
  private final Stream copies;
  private final List<Runnable> owned = new ArrayList<>();

  /** A place on the device, and what is in it. */
  private static final class Slot {
    private final Event fetched;
    private final Event worked;
    private int page = NONE;

    Slot(Event fetched, Event worked) {
      this.fetched = fetched;
      this.worked = worked;
    }
  }

  /**
   * Takes memory for the pages behind the first {@code stay}.
   *
   * @param work the stream of the kernels
   * @param places see {@link Paging#places}
   * @param resident the first pages
   */
  StreamedPages(
      Context context, Stream work, Tensor[] places, Pager resident, int stay, long[] pageBytes) {
    this.context = context;
    this.work = work;
    this.resident = resident;
    this.stay = stay;
    int streamed = pageBytes.length - stay;
    this.places = places;
    homes = new PinnedMemory[streamed];
    try {
      copies = own(new Stream(context), Stream::close);
      for (int s = 0; s < SLOTS; s++) {
        slots[s] = new Slot(event(), event());
      }
      for (int i = 0; i < streamed; i++) {
        homes[i] = own(new PinnedMemory(context, pageBytes[stay + i]), PinnedMemory::close);
        homes[i].segment().fill((byte) 0);
      }
      // Memory of the scope is zeroed on the kernels' stream; copies must come after.
      work.synchronize();
    } catch (RuntimeException | Error e) {
      giveBack();
      throw e;
    }
  }

  private Event event() {
    return own(new Event(context), Event::close);
  }

  private <T> T own(T made, Consumer<T> giveBack) {
    owned.add(() -> giveBack.accept(made));
    return made;
  }

  @Override
  public Tensor page(int page) {
    return page < stay ? resident.page(page) : places[page - stay];
  }

  @Override
  public void enter(int page) {
    int i = page - stay;
    if (i >= 0) {
      fetch(i);
      work.waitFor(slots[i % SLOTS].fetched);
    }
    fetch(i + 1); // also while the last resident page is worked on
  }

  /** Brings a page from its home to its place, behind all copies so far, unless they are there. */
  private void fetch(int i) {
    if (i < 0 || i >= places.length || slots[i % SLOTS].page == i) {
      return;
    }
    Slot slot = slots[i % SLOTS];
    copies.copyToDevice(places[i].address(), homes[i].segment().address(), places[i].bytes());
    slot.fetched.record(copies);
    slot.page = i;
  }

  @Override
  public void leave(int page) {
    int i = page - stay;
    if (i < 0) {
      return;
    }
    Slot slot = slots[i % SLOTS];
    slot.worked.record(work);
    copies.waitFor(slot.worked);
    copies.copyToHost(homes[i].segment().address(), places[i].address(), places[i].bytes());
    slot.page = NONE;
  }

  @Override
  public void close() {
    try {
      if (!context.isLost()) {
        copies.synchronize();
      }
    } finally {
      resident.close();
      giveBack();
    }
  }

  private void giveBack() {
    owned.reversed().forEach(Runnable::run);
    owned.clear();
  }
}
