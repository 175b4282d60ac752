package dev.nibble.data.images;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * What the chunks of a PNG file say, beyond what its decoder tells.
 *
 * @param exif EXIF data
 * @param isComplete whether the chunk is there that ends a file
 */
record PngChunks(Optional<ByteBuffer> exif, boolean isComplete) {
  private static final int EXIF = 0x65584966;
  private static final int END = 0x49454E44;

  static PngChunks of(byte[] file) {
    ByteBuffer chunks = ByteBuffer.wrap(file);
    Optional<ByteBuffer> exif = Optional.empty();
    int at = 8;
    while (at <= file.length - 12) {
      int length = chunks.getInt(at);
      int type = chunks.getInt(at + 4);
      if (length < 0 || length > file.length - at - 12) {
        break;
      }
      if (type == END) {
        return new PngChunks(exif, true);
      }
      if (type == EXIF) {
        exif = Optional.of(chunks.slice(at + 8, length));
      }
      at += 12 + length;
    }
    return new PngChunks(exif, false);
  }
}
