package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.LongStream;

/**
 * Memory for what is used a page at a time, in order, such as an optimizer's state. Some pages stay
 * in the kernels' memory; the others live elsewhere and are there between {@link #enter} and {@link
 * #leave} only. What a page holds does not depend on where it lives. All bytes are 0 at first.
 */
public interface Pager extends AutoCloseable {

  /**
   * Where kernels find a page, always the same place; another page may be there while this one is
   * not entered. On the host a page never moves, and can be read as long as the pager is open.
   *
   * @return U8 [bytes of the page]
   */
  Tensor page(int page);

  /**
   * From here on kernels work on a page. Going through pages in ascending order is fastest: the
   * next one is fetched meanwhile. One page at a time.
   */
  void enter(int page);

  /** No kernel that is called from here on works on the page. What they wrote to it is kept. */
  void leave(int page);

  /** Gives back what is not the scope's. Close it before the kernels. */
  @Override
  void close();

  /** All pages in the scope's memory. */
  static Pager resident(Scope scope, long[] pageBytes) {
    return of(
        LongStream.of(pageBytes)
            .mapToObj(bytes -> scope.allocate("optimizer/state", DType.U8, bytes))
            .toArray(Tensor[]::new));
  }

  /** Pages that are always there, and belong to others. */
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
   * For kernels of the host: what does not stay lies in a file that is mapped into memory, which
   * the operating system writes out and reads back as it needs room.
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
