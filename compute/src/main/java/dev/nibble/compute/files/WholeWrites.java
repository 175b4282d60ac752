package dev.nibble.compute.files;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** Writing to channels, which may take a part at a time. */
public final class WholeWrites {
  /** Bytes of memory that are handed to a channel at once. */
  private static final long CHUNK = 1L << 24;

  private WholeWrites() {}

  /** Writes all that remains. */
  public static void write(WritableByteChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  /** Writes all bytes, of any number. */
  public static void write(WritableByteChannel out, MemorySegment bytes) throws IOException {
    for (long at = 0; at < bytes.byteSize(); at += CHUNK) {
      write(out, bytes.asSlice(at, Math.min(CHUNK, bytes.byteSize() - at)).asByteBuffer());
    }
  }
}
