package dev.nibble.compute.safetensors;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** Writes safetensors files, byte for byte as the format's own library does. */
public final class SafetensorsWriter {
  private static final JsonFactory JSON = new JsonFactory();

  /** Bytes that are handed to the channel at once. */
  private static final long CHUNK = 1L << 24;

  /** Wide elements first, so that every tensor begins at a multiple of its element's size. */
  private static final List<DType> ORDER =
      List.of(
          DType.I64,
          DType.F64,
          DType.F32,
          DType.I32,
          DType.BF16,
          DType.F16,
          DType.I16,
          DType.I8,
          DType.U8,
          DType.BOOL);

  private SafetensorsWriter() {}

  /**
   * Writes a file: beside it first, forced to the disk, then renamed over it. Tensors are streamed.
   *
   * @param tensors by name, all on the host; the file holds them by dtype and name, whatever their
   *     order here
   * @param metadata free strings; readers of model files expect {@code format=pt}
   * @throws IOException when writing fails; a file that was there before is then untouched, and
   *     nothing is left beside it
   */
  public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    tensors.forEach((name, tensor) -> check(file, name, tensor));
    AtomicFile.write(file, out -> writeTo(out, tensors, metadata));
  }

  private static void check(Path file, String name, Tensor tensor) {
    if (name.equals(Header.METADATA)) {
      throw new IllegalArgumentException(
          "%s: a tensor cannot be named %s".formatted(file, Header.METADATA));
    }
    if (!(tensor.device() instanceof Device.Host)) {
      throw new IllegalArgumentException(
          "%s: tensor '%s' (%s) must be copied to the host first".formatted(file, name, tensor));
    }
  }

  static void writeTo(
      WritableByteChannel out, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    List<Map.Entry<String, Tensor>> sorted = tensors.entrySet().stream().sorted(order()).toList();
    byte[] header = header(sorted, metadata);
    int padded = Math.ceilDiv(header.length, 8) * 8;
    ByteBuffer start = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.fill(start.array(), (byte) ' ');
    start.putLong(padded).put(header).rewind();
    writeAll(out, start);
    for (Map.Entry<String, Tensor> e : sorted) {
      MemorySegment bytes = e.getValue().memory();
      for (long at = 0; at < bytes.byteSize(); at += CHUNK) {
        writeAll(out, bytes.asSlice(at, Math.min(CHUNK, bytes.byteSize() - at)).asByteBuffer());
      }
    }
  }

  private static Comparator<Map.Entry<String, Tensor>> order() {
    Comparator<Map.Entry<String, Tensor>> byDtype =
        Comparator.comparingInt(e -> ORDER.indexOf(e.getValue().dtype()));
    return byDtype.thenComparing(
        e -> e.getKey().getBytes(StandardCharsets.UTF_8), Arrays::compareUnsigned);
  }

  private static byte[] header(
      List<Map.Entry<String, Tensor>> tensors, Map<String, String> metadata) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeName(Header.METADATA).writeStartObject();
        metadata.forEach(json::writeStringProperty);
        json.writeEndObject();
      }
      long at = 0;
      for (Map.Entry<String, Tensor> e : tensors) {
        Tensor t = e.getValue();
        json.writeName(e.getKey()).writeStartObject();
        json.writeStringProperty("dtype", t.dtype().name());
        json.writeName("shape").writeArray(t.shape().dims(), 0, t.shape().rank());
        json.writeName("data_offsets").writeArray(new long[] {at, at + t.bytes()}, 0, 2);
        json.writeEndObject();
        at += t.bytes();
      }
      json.writeEndObject();
    }
    return bytes.toByteArray();
  }

  private static void writeAll(WritableByteChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }
}
