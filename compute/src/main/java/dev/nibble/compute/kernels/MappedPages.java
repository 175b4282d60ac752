package dev.nibble.compute.kernels;

import dev.nibble.compute.files.OwnerOnly;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.errors.Remedy;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;

/**
 * A pager for host kernels: the first pages are resident, the others lie in a memory-mapped file.
 */
final class MappedPages implements Pager {
  private static final int ALIGNMENT = 64;
  private static final int ZEROS = 1 << 20;

  private final Pager resident;
  private final int stay;
  private final Tensor[] mapped;
  private final Arena arena = Arena.ofShared();
  private final Path file;

  MappedPages(Pager resident, int stay, long[] pageBytes, Path file) {
    this.resident = resident;
    this.stay = stay;
    this.file = file;
    this.mapped = new Tensor[pageBytes.length];
    long total = 0;
    for (long bytes : pageBytes) {
      total += aligned(bytes);
    }
    try {
      Files.deleteIfExists(file); // left by a run that was killed
      fill(total);
      map(pageBytes, total);
    } catch (IOException e) {
      PagingException failure =
          new PagingException(
              "%.1f MB for the paged optimizer state cannot be taken in %s: %s"
                  .formatted(total / 1e6, file, e.getMessage()),
              Remedy.FEWER_PAGES_ON_DISK,
              e);
      discard(failure);
      throw failure;
    } catch (RuntimeException | Error e) {
      discard(e);
      throw e;
    }
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * (long) ALIGNMENT;
  }

  /**
   * Writes every byte: on a full disk, touching a hole in the file would kill the process later.
   */
  private void fill(long total) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    long free = Files.getFileStore(folder).getUsableSpace();
    if (free < total) {
      throw new IOException("only %.1f MB are free".formatted(free / 1e6));
    }
    try (FileChannel out =
        FileChannel.open(
            file,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            OwnerOnly.file(file))) {
      ByteBuffer zeros = ByteBuffer.allocateDirect(ZEROS);
      for (long at = 0; at < total; ) {
        zeros.clear().limit((int) Math.min(ZEROS, total - at));
        at += out.write(zeros);
      }
      out.force(false);
    }
  }

  private void map(long[] pageBytes, long total) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      MemorySegment all = channel.map(MapMode.READ_WRITE, 0, total, arena);
      long at = 0;
      for (int i = 0; i < pageBytes.length; i++) {
        MemorySegment bytes = all.asSlice(at, pageBytes[i]);
        mapped[i] = Tensor.onHost("optimizer/state", DType.U8, Shape.of(pageBytes[i]), bytes);
        at += aligned(pageBytes[i]);
      }
    }
  }

  private void discard(Throwable failure) {
    arena.close();
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  @Override
  public Tensor page(int page) {
    return page < stay ? resident.page(page) : mapped[page - stay];
  }

  @Override
  public void enter(int page) {}

  @Override
  public void leave(int page) {}

  @Override
  public void close() {
    resident.close();
    arena.close();
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new PagingException(
          "%s cannot be deleted: %s. No run needs it any more".formatted(file, e.getMessage()), e);
    }
  }
}
