package dev.nibble.trainer.calibration;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.files.FileProblem;
import dev.nibble.compute.files.WholeWrites;
import dev.nibble.compute.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The residual streams of all batches before one layer, one batch after another. */
final class ResidualFile implements AutoCloseable {
  /** Bytes that are read at once. */
  private static final long CHUNK = 1L << 24;

  private final Path file;
  private final FileChannel channel;
  private long at;

  private ResidualFile(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /** A receiver of the streams of the next batch. */
  interface Sink {
    void put(Tensor streams) throws IOException;
  }

  /** A producer of the streams of all batches, in order. */
  interface Content {
    void writeTo(Sink sink) throws IOException;
  }

  /** Writes a file, whole or not at all. */
  static void write(Path file, Content content) throws IOException {
    AtomicFile.write(
        file, out -> content.writeTo(streams -> WholeWrites.write(out, streams.memory())));
  }

  /** Opens a file to be read from its beginning. */
  static ResidualFile open(Path file) throws IOException {
    return new ResidualFile(file, FileChannel.open(file, StandardOpenOption.READ));
  }

  /** Reads the streams of the next batch, which are of this size. */
  void read(Tensor streams) throws IOException {
    MemorySegment bytes = streams.memory();
    for (long from = 0; from < bytes.byteSize(); ) {
      long n = Math.min(CHUNK, bytes.byteSize() - from);
      int read = channel.read(bytes.asSlice(from, n).asByteBuffer(), at);
      if (read < 0) {
        throw new IOException("cannot read %s: it ends early; delete its folder".formatted(file));
      }
      from += read;
      at += read;
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new IllegalStateException(file + ": " + FileProblem.of(e), e);
    }
  }
}
