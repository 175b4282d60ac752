package dev.nibble.data.arrow;

import dev.nibble.data.rows.Projection;
import dev.nibble.data.rows.RowSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.arrow.memory.BufferAllocator;

/**
 * Rows of an Arrow IPC file: the streaming format, which the {@code datasets} library saves, or the
 * random-access file format ("Feather 2"); the first bytes tell which. One record batch at a time
 * is in memory, and of a large one that is not compressed no more than the system's cache of the
 * file.
 *
 * @param file the file
 * @param projection the columns to read
 */
public record ArrowRows(Path file, Projection projection) implements RowSource {
  private static final byte[] FILE_MAGIC = {'A', 'R', 'R', 'O', 'W', '1'};

  /** All columns of a file. */
  public ArrowRows(Path file) {
    this(file, Projection.ALL);
  }

  @Override
  public String describe() {
    return file.toString();
  }

  @Override
  public List<String> columns() {
    try (ArrowCursor cursor = open()) {
      return cursor.columns();
    }
  }

  @Override
  public RowSource only(Projection columns) {
    return new ArrowRows(file, columns);
  }

  @Override
  public ArrowCursor open() {
    return open(IpcReader.LEAST_MAPPED);
  }

  /** The same, with record batches mapped from so many bytes on. */
  ArrowCursor open(long leastMapped) {
    Resources resources = new Resources();
    try {
      BufferAllocator allocator =
          resources.add(Allocators.child(describe(), 2 * BatchCheck.memory(Files.size(file))));
      FileChannel channel = resources.add(FileChannel.open(file));
      IpcLayout layout = IpcCheck.check(channel, isFileFormat());
      IpcReader reader = resources.add(new IpcReader(channel, layout, allocator, leastMapped));
      List<String> names = ArrowCursor.names(layout.schema());
      return new ArrowCursor(file, reader, reader::requireWhole, projection, names, resources);
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      throw resources.closedBy(ArrowCursor.unreadable(file, e));
    }
  }

  private boolean isFileFormat() throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return Arrays.equals(in.readNBytes(FILE_MAGIC.length), FILE_MAGIC);
    }
  }
}
