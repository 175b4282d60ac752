package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.nio.file.Path;

/**
 * How much of paged memory stays, and where the rest goes.
 *
 * @param residentBytes the most that is held in the memory of the kernels, pages on their way
 *     included; a {@link Pager} needs room for two pages in any case
 * @param file where kernels of the host keep the rest, while the pager is open; a device's pages go
 *     to the host's memory
 */
public record Paging(long residentBytes, Path file) {
  /** Places on a device that streamed pages take turns in. */
  public static final int SLOTS = 2;

  /** Checks the size. */
  public Paging {
    if (residentBytes < 0) {
      throw new IllegalArgumentException("%d resident bytes".formatted(residentBytes));
    }
  }

  /**
   * How many pages stay, the first ones: as many as leave room for two others.
   *
   * @param pageBytes size of each page
   */
  public int residentPages(long[] pageBytes) {
    long all = 0;
    long largest = 0;
    for (long bytes : pageBytes) {
      all += bytes;
      largest = Math.max(largest, bytes);
    }
    if (all <= residentBytes) {
      return pageBytes.length;
    }
    int pages = 0;
    for (long held = 2 * largest; held + pageBytes[pages] <= residentBytes; pages++) {
      held += pageBytes[pages];
    }
    return pages;
  }

  /**
   * Two places on a device that the pages which do not stay take turns in: of these, even ones go
   * through the first and odd ones through the second.
   *
   * @return each page's place, in its size
   */
  public Tensor[] places(Scope scope, long[] pageBytes) {
    int stay = residentPages(pageBytes);
    Tensor[] places = new Tensor[pageBytes.length - stay];
    for (int slot = 0; slot < SLOTS; slot++) {
      long largest = 0;
      for (int i = stay + slot; i < pageBytes.length; i += SLOTS) {
        largest = Math.max(largest, pageBytes[i]);
      }
      Tensor room = scope.allocate("optimizer/pages", DType.U8, largest);
      for (int i = slot; i < places.length; i += SLOTS) {
        places[i] = room.prefix(pageBytes[stay + i]);
      }
    }
    return places;
  }
}
