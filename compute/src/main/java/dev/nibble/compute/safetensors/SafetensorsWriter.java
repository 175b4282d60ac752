package dev.nibble.compute.safetensors;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.files.WholeWrites;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.Set;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** A writer of safetensors files, byte-identical to the format's own library. */
public final class SafetensorsWriter {
  private static final JsonFactory JSON = new JsonFactory();

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

  private final Path file;
  private final SeekableByteChannel out;
  private final Header header;
  private final Set<String> written = new HashSet<>();

  private SafetensorsWriter(Path file, SeekableByteChannel out, Header header) {
    this.file = file;
    this.out = out;
    this.header = header;
  }

  /** A receiver of a file's tensors. */
  public interface Sink {
    /**
     * Writes a tensor to its place. Its memory may be used again afterwards.
     *
     * @param name one of the file's names, once
     * @param tensor on the host, of the dtype and the shape that were announced; its own name does
     *     not matter
     */
    void put(String name, Tensor tensor) throws IOException;
  }

  /** A producer of a file's tensors: gives each to the sink once, in any order. */
  public interface Content {
    void writeTo(Sink sink) throws IOException;
  }

  /**
   * Writes a file whose tensors are all there: beside it first, forced to the disk, then renamed
   * over it.
   *
   * @param tensors by name, all on the host; the file holds them by dtype and name, whatever their
   *     order here
   * @param metadata free strings; readers of model files expect {@code format=pt}
   * @throws IOException when writing fails; a file that was there before is then untouched, and
   *     nothing is left beside it
   */
  public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    tensors.forEach((name, tensor) -> checkDevice(file, name, tensor));
    AtomicFile.write(file, out -> writeTo(file, out, tensors, metadata));
  }

  /**
   * Writes a file whose tensors are made one after another, as {@link #write(Path, Map, Map)} does.
   * Nothing of it is held: memory is needed for one tensor at a time.
   *
   * @param tensors what the file will hold
   * @param metadata free strings; readers of model files expect {@code format=pt}
   * @param content called once; what it throws ends the writing and leaves no file
   * @throws IllegalStateException when {@code content} left a tensor out or gave one twice
   */
  public static void write(
      Path file, Collection<TensorInfo> tensors, Map<String, String> metadata, Content content)
      throws IOException {
    SequencedMap<String, Header.Entry> layout = layout(file, tensors);
    AtomicFile.write(file, out -> writeTo(file, out, layout, metadata, content));
  }

  static void writeTo(
      Path file, SeekableByteChannel out, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    List<TensorInfo> infos =
        tensors.entrySet().stream().map(e -> TensorInfo.of(e.getKey(), e.getValue())).toList();
    SequencedMap<String, Header.Entry> layout = layout(file, infos);
    Content inFileOrder =
        sink -> {
          for (String name : layout.keySet()) {
            sink.put(name, Objects.requireNonNull(tensors.get(name)));
          }
        };
    writeTo(file, out, layout, metadata, inFileOrder);
  }

  private static void writeTo(
      Path file,
      SeekableByteChannel out,
      SequencedMap<String, Header.Entry> layout,
      Map<String, String> metadata,
      Content content)
      throws IOException {
    byte[] json = json(layout.values(), metadata);
    int padded = Math.ceilDiv(json.length, 8) * 8;
    ByteBuffer start = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.fill(start.array(), (byte) ' ');
    start.putLong(padded).put(json).rewind();
    WholeWrites.write(out, start);
    var writer = new SafetensorsWriter(file, out, new Header(layout, metadata, 8 + padded));
    content.writeTo(writer::put);
    writer.checkComplete();
  }

  /** Where each tensor lies, in the order of the file. */
  private static SequencedMap<String, Header.Entry> layout(
      Path file, Collection<TensorInfo> tensors) {
    SequencedMap<String, Header.Entry> layout = new LinkedHashMap<>();
    long at = 0;
    for (TensorInfo t : tensors.stream().sorted(order()).toList()) {
      if (t.name().equals(Header.METADATA)) {
        throw new IllegalArgumentException(
            "%s: a tensor cannot be named %s".formatted(file, Header.METADATA));
      }
      long end = Math.addExact(at, t.bytes());
      if (layout.put(t.name(), new Header.Entry(t.name(), t.dtype(), t.shape(), at, end)) != null) {
        throw new IllegalArgumentException("%s: two tensors '%s'".formatted(file, t.name()));
      }
      at = end;
    }
    return layout;
  }

  private static Comparator<TensorInfo> order() {
    Comparator<TensorInfo> byDtype = Comparator.comparingInt(t -> ORDER.indexOf(t.dtype()));
    return byDtype.thenComparing(
        t -> t.name().getBytes(StandardCharsets.UTF_8), Arrays::compareUnsigned);
  }

  private static byte[] json(Collection<Header.Entry> tensors, Map<String, String> metadata) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeName(Header.METADATA).writeStartObject();
        metadata.forEach(json::writeStringProperty);
        json.writeEndObject();
      }
      for (Header.Entry t : tensors) {
        json.writeName(t.name()).writeStartObject();
        json.writeStringProperty("dtype", t.dtype().name());
        json.writeName("shape").writeArray(t.shape().dims(), 0, t.shape().rank());
        json.writeName("data_offsets").writeArray(new long[] {t.begin(), t.end()}, 0, 2);
        json.writeEndObject();
      }
      json.writeEndObject();
    }
    return bytes.toByteArray();
  }

  private void put(String name, Tensor tensor) throws IOException {
    Header.Entry place = header.entries().get(name);
    if (place == null) {
      throw new IllegalArgumentException("%s: tensor '%s' was not announced".formatted(file, name));
    }
    if (tensor.dtype() != place.dtype() || !tensor.shape().equals(place.shape())) {
      throw new IllegalArgumentException(
          "%s: tensor '%s' (%s) was announced as %s%s"
              .formatted(file, name, tensor, place.dtype(), place.shape()));
    }
    checkDevice(file, name, tensor);
    if (!written.add(name)) {
      throw new IllegalStateException("%s: tensor '%s' came twice".formatted(file, name));
    }
    out.position(header.dataStart() + place.begin());
    WholeWrites.write(out, tensor.memory());
  }

  private void checkComplete() {
    for (String name : header.entries().keySet()) {
      if (!written.contains(name)) {
        throw new IllegalStateException("%s: tensor '%s' did not come".formatted(file, name));
      }
    }
  }

  private static void checkDevice(Path file, String name, Tensor tensor) {
    if (!(tensor.device() instanceof Device.Host)) {
      throw new IllegalArgumentException(
          "%s: tensor '%s' (%s) must be copied to the host first".formatted(file, name, tensor));
    }
  }
}
