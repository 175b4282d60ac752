package dev.nibble.trainer.checkpoint;

import dev.nibble.compute.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/** CRC-32C of a host tensor's bytes. */
final class Checksum {
  /** A ByteBuffer holds less than 2 GiB. */
  private static final long CHUNK = 1 << 30;

  private Checksum() {}

  static long of(Tensor host) {
    MemorySegment bytes = host.memory();
    CRC32C crc = new CRC32C();
    for (long at = 0; at < bytes.byteSize(); at += CHUNK) {
      crc.update(bytes.asSlice(at, Math.min(CHUNK, bytes.byteSize() - at)).asByteBuffer());
    }
    return crc.getValue();
  }
}
