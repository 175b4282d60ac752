package dev.nibble.data.arrow;

import dev.nibble.data.natives.Unpacking;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Projection;
import dev.nibble.data.rows.RowSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.arrow.dataset.file.FileFormat;
import org.apache.arrow.dataset.file.FileSystemDatasetFactory;
import org.apache.arrow.dataset.jni.JniLoader;
import org.apache.arrow.dataset.jni.NativeMemoryPool;
import org.apache.arrow.dataset.scanner.ScanOptions;
import org.apache.arrow.dataset.scanner.Scanner;
import org.apache.arrow.dataset.source.Dataset;
import org.apache.arrow.dataset.source.DatasetFactory;
import org.apache.arrow.memory.BufferAllocator;

/**
 * Rows of a Parquet file, read by Arrow's native dataset library, which is loaded with the first
 * such file.
 *
 * @param file the file
 * @param projection the columns to read
 */
public record ParquetRows(Path file, Projection projection) implements RowSource {
  /** Arrow's dataset library and what hands over its batches, loaded once. */
  private static final class Library {
    static {
      Unpacking.intoTemporary(() -> {
        JniLoader.get().ensureLoaded();
        org.apache.arrow.c.jni.JniLoader.get().ensureLoaded();
      });
    }

    static void load() {}
  }

  /** Rows asked for at a time. */
  private static final long BATCH_ROWS = 1024;

  /** All columns of a file. */
  public ParquetRows(Path file) {
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
    return new ParquetRows(file, columns);
  }

  @Override
  public ArrowCursor open() {
    Resources resources = new Resources();
    try {
      Library.load();
      BufferAllocator allocator = resources.add(Allocators.child(describe(), Long.MAX_VALUE));
      DatasetFactory factory =
          resources.add(
              new FileSystemDatasetFactory(
                  allocator,
                  NativeMemoryPool.getDefault(),
                  FileFormat.PARQUET,
                  file.toUri().toString()));
      Dataset dataset = resources.add(factory.finish());
      List<String> names = ArrowCursor.names(factory.inspect());
      String[] read = names.stream().filter(projection::reads).toArray(String[]::new);
      Scanner scanner =
          resources.add(dataset.newScan(new ScanOptions(BATCH_ROWS, Optional.of(read))));
      return new ArrowCursor(
          file, resources.add(scanner.scanBatches()), () -> {}, projection, names, resources);
    } catch (LinkageError e) {
      throw resources.closedBy(
          new InvalidDataset(
              "%s: the native library that reads Parquet cannot be loaded on %s %s. Save the rows as Arrow or JSON lines."
                  .formatted(file, System.getProperty("os.name"), System.getProperty("os.arch")),
              e));
    } catch (IOException | RuntimeException e) {
      throw resources.closedBy(
          ArrowCursor.missingCodec(file, e)
              .orElseGet(() ->
                  new InvalidDataset(
                      file
                          + ": cannot be read as Parquet: it is damaged or cut short. Fetch or write the file again.",
                      e)));
    }
  }
}
