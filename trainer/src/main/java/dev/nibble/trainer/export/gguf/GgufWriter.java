package dev.nibble.trainer.export.gguf;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.export.ExportException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;

/**
 * Writes GGUF files of version 3: header, metadata, a table of tensors, then their values, each
 * aligned to 32 bytes. In memory are one tensor in F32, the largest, and a few MiB of encoded
 * values.
 */
final class GgufWriter {
  private static final int MAGIC = 0x46554747; // "GGUF"
  private static final int VERSION = 3;
  private static final int ALIGNMENT = 32;

  /** Values that one thread encodes at a time; a multiple of every block size. */
  private static final int PART = 1 << 16;

  /** Parts between two writes to the file. */
  private static final int PARTS = 64;

  private GgufWriter() {}

  /** Writes a file, without word of how far it is. */
  static long write(Path file, GgufMetadata metadata, List<GgufTensor> tensors) {
    return write(file, metadata, tensors, (done, total) -> {});
  }

  /**
   * Writes a file: beside it first, then renamed over it.
   *
   * @param progress hears how many bytes of tensors were written, and how many there are
   * @return its size in bytes
   * @throws ExportException when two tensors have one name, a value does not fit its type, or
   *     writing fails; a file that was there before is then untouched
   */
  static long write(
      Path file, GgufMetadata metadata, List<GgufTensor> tensors, BiConsumer<Long, Long> progress) {
    Set<String> names = new HashSet<>();
    for (GgufTensor t : tensors) {
      if (!names.add(t.name())) {
        throw new ExportException("two tensors are named '%s'".formatted(t.name()));
      }
    }
    try {
      AtomicFile.write(file, out -> writeTo(out, metadata, tensors, progress));
      return Files.size(file);
    } catch (IOException e) {
      throw new ExportException(String.valueOf(e.getMessage()), e);
    }
  }

  private static void writeTo(
      WritableByteChannel out,
      GgufMetadata metadata,
      List<GgufTensor> tensors,
      BiConsumer<Long, Long> progress)
      throws IOException {
    writeAll(out, ByteBuffer.wrap(header(metadata, tensors)));
    long largest = tensors.stream().mapToLong(t -> t.shape().elements()).max().orElse(0);
    long total = tensors.stream().mapToLong(GgufTensor::bytes).sum();
    long done = 0;
    try (Scope scope = Scope.open("gguf", Memory.host())) {
      Tensor memory = scope.allocate("gguf/values", DType.F32, largest);
      for (GgufTensor t : tensors) {
        Tensor values = memory.prefix(t.shape().dims()).named(t.name());
        t.values().read(values);
        writeValues(out, t.type(), values);
        writeAll(out, ByteBuffer.allocate((int) (padded(t.bytes()) - t.bytes())));
        done += t.bytes();
        progress.accept(done, total);
      }
    }
  }

  private static byte[] header(GgufMetadata metadata, List<GgufTensor> tensors) {
    LittleEndian out = new LittleEndian();
    out.u32(MAGIC).u32(VERSION).u64(tensors.size()).u64(metadata.size());
    metadata.writeTo(out);
    long at = 0;
    for (GgufTensor t : tensors) {
      out.text(t.name()).u32(t.shape().rank());
      for (int i = t.shape().rank() - 1; i >= 0; i--) { // the fastest dimension first
        out.u64(t.shape().dim(i));
      }
      out.u32(t.type().id()).u64(at);
      at += padded(t.bytes());
    }
    while (out.size() % ALIGNMENT != 0) {
      out.u8(0);
    }
    return out.toBytes();
  }

  private static void writeValues(WritableByteChannel out, GgufType type, Tensor values)
      throws IOException {
    byte[] encoded = new byte[(int) type.bytes(Math.min(values.elements(), (long) PART * PARTS))];
    for (long from = 0; from < values.elements(); from += (long) PART * PARTS) {
      long start = from;
      long n = Math.min((long) PART * PARTS, values.elements() - from);
      IntStream.range(0, Math.toIntExact(Math.ceilDiv(n, PART)))
          .parallel()
          .forEach(p -> encode(type, values, start, p, n, encoded));
      writeAll(out, ByteBuffer.wrap(encoded, 0, (int) type.bytes(n)));
    }
  }

  /** Encodes part p of the n values from {@code start} on. */
  private static void encode(
      GgufType type, Tensor values, long start, int p, long n, byte[] encoded) {
    int offset = p * PART;
    int size = (int) Math.min(PART, n - offset);
    float[] x = values.part(start + offset, size).toFloats();
    ByteBuffer out =
        ByteBuffer.wrap(encoded, (int) type.bytes(offset), (int) type.bytes(size))
            .order(ByteOrder.LITTLE_ENDIAN);
    int bad = BlockEncoder.encode(type, x, size, out);
    if (bad >= 0) {
      throw new ExportException(
          "tensor '%s' holds %s at element %d, which %s cannot hold; bf16 and f32 can"
              .formatted(values.name(), x[bad], start + offset + bad, type));
    }
  }

  private static long padded(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }

  private static void writeAll(WritableByteChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }
}
