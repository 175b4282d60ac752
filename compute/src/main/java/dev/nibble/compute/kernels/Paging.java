package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.nio.file.Path;

/**
 * The split of paged memory: how much stays resident, and where the rest is kept.
 *
 * @param residentBytes the most bytes held in the kernels' memory, including the pages being
 *     transferred; a {@link Pager} needs at least two pages
 * @param file where kernels of the host keep the rest while the pager is open; pages of a device
 *     are kept in host memory
 */
public record Paging(long residentBytes, Path file) {
  /** Buffers on a device that streamed pages share: one in use, one being fetched. */
  public static final int BUFFERS = 2;

  /** Checks the size. */
  public Paging {
    if (residentBytes < 0) {
      throw new IllegalArgumentException("%d resident bytes".formatted(residentBytes));
    }
  }

  /**
   * The number of pages that stay resident, counted from the first: as many as leave memory for two
   * others.
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
   * Allocates two buffers on a device for the pages that do not stay: even ones use the first and
   * odd ones the second.
   *
   * @return a view of its buffer for each page, in the page's size
   */
  public Tensor[] buffers(Scope scope, long[] pageBytes) {
    int stay = residentPages(pageBytes);
    Tensor[] buffers = new Tensor[pageBytes.length - stay];
    for (int slot = 0; slot < BUFFERS; slot++) {
      long largest = 0;
      for (int i = stay + slot; i < pageBytes.length; i += BUFFERS) {
        largest = Math.max(largest, pageBytes[i]);
      }
      Tensor buffer = scope.allocate("optimizer/pages", DType.U8, largest);
      for (int i = slot; i < buffers.length; i += BUFFERS) {
        buffers[i] = buffer.prefix(pageBytes[stay + i]);
      }
    }
    return buffers;
  }
}
