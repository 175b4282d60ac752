package dev.nibble.compute.kernels;

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
}
