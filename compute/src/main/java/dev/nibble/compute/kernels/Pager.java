package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.LongStream;

/**
 * Memory that is used one page at a time and in order, such as optimizer state. Some pages stay in
 * the kernels' memory; the others are kept elsewhere and are brought there between {@link #enter}
 * and {@link #leave} only. Where a page is kept does not change its values. All bytes are 0 at
 * first.
 */
public interface Pager extends AutoCloseable {

  /**
   * The tensor in which kernels find a page. It is always the same one, but another page may use
   * its memory while this page is not entered. On the host a page never moves and can be read as
   * long as the pager is open.
   *
   * @return U8 [bytes of the page]
   */
  Tensor page(int page);

  /**
   * Makes a page usable by kernels, one page at a time. Ascending order is fastest, since the next
   * page is fetched in the background.
   */
  void enter(int page);

  /** Ends the use of a page by kernels. What they wrote to it is kept. */
  void leave(int page);

  /** Frees everything but the scope's memory. Close it before the kernels. */
  @Override
  void close();

  /** All pages in the scope's memory. */
  static Pager resident(Scope scope, long[] pageBytes) {
    return of(
        LongStream.of(pageBytes)
            .mapToObj(bytes -> scope.allocate("optimizer/state", DType.U8, bytes))
            .toArray(Tensor[]::new));
  }

  /** Pages that are always resident and owned by others. */
  static Pager of(Tensor... pages) {
    return new Pager() {
      @Override
      public Tensor page(int page) {
        return pages[page];
      }

      @Override
      public void enter(int page) {}

      @Override
      public void leave(int page) {}

      @Override
      public void close() {}
    };
  }

  /**
   * A pager for kernels of the host: pages that are not resident lie in a memory-mapped file, which
   * the operating system writes out and reads back when memory is short.
   *
   * @throws PagingException when the file cannot be made, for example on a full disk
   */
  static Pager onHost(Scope scope, long[] pageBytes, Paging paging) {
    int stay = paging.residentPages(pageBytes);
    Pager resident = resident(scope, Arrays.copyOf(pageBytes, stay));
    return stay == pageBytes.length
        ? resident
        : new MappedPages(
            resident, stay, Arrays.copyOfRange(pageBytes, stay, pageBytes.length), paging.file());
  }
}
