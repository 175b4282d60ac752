package dev.nibble.compute.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SafetensorsWriterTest {
  @TempDir Path folder;

  private static Tensor f32(float... values) {
    return Tensor.onHost(
            "t",
            DType.F32,
            Shape.of(values.length),
            MemorySegment.ofArray(new byte[4 * values.length]))
        .put(values);
  }

  @Test
  void laysBytesOutAsTheFormatSays() throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("b\"\n", f32(1, 2));
    tensors.put(
        "bytes", Tensor.onHost("u", DType.U8, Shape.of(1, 3), MemorySegment.ofArray(new byte[3])));
    tensors.put("a", f32(3));
    Path file = folder.resolve("m.safetensors");
    SafetensorsWriter.write(file, tensors, Map.of("format", "pt"));

    String header =
        "{'__metadata__':{'format':'pt'},'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},"
                .replace('\'', '"')
            + "'b\\'\\n':{'dtype':'F32','shape':[2],'data_offsets':[4,12]},'bytes':{'dtype':'U8','shape':[1,3],'data_offsets':[12,15]}}"
                .replace('\'', '"');
    byte[] bytes = Files.readAllBytes(file);
    int length = (int) bytes[0] & 0xff;
    assertThat(length + (bytes[1] & 0xff) * 256).isEqualTo((header.length() + 7) / 8 * 8);
    assertThat(new String(bytes, 8, header.length(), StandardCharsets.UTF_8)).isEqualTo(header);
    try (SafetensorsFile read = Safetensors.open(file)) {
      assertThat(read.names()).containsExactly("a", "b\"\n", "bytes");
      assertThat(read.tensor("b\"\n").toFloats()).containsExactly(1, 2);
      assertThat(read.metadata()).isEqualTo(Map.of("format", "pt"));
    }
  }

  @Test
  void writesTensorsOfNoElements() throws IOException {
    Path file = folder.resolve("m.safetensors");
    SafetensorsWriter.write(
        file,
        Map.of("none", Tensor.onHost("n", DType.BF16, Shape.of(0, 5), MemorySegment.NULL)),
        Map.of());
    try (SafetensorsFile read = Safetensors.open(file)) {
      assertThat(read.tensor("none").shape()).isEqualTo(Shape.of(0, 5));
      assertThat(read.metadata()).isEmpty();
    }
  }

  /** A disk with room for so many bytes. */
  private static final class SmallDisk implements SeekableByteChannel {
    private final SeekableByteChannel out;
    private int room;

    SmallDisk(SeekableByteChannel out, int room) {
      this.out = out;
      this.room = room;
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
      if (room == 0) {
        throw new IOException("No space left on device");
      }
      int n = Math.min(room, bytes.remaining());
      out.write(bytes.slice(bytes.position(), n));
      bytes.position(bytes.position() + n);
      room -= n;
      return n;
    }

    @Override
    public long position() throws IOException {
      return out.position();
    }

    @Override
    public SeekableByteChannel position(long at) throws IOException {
      out.position(at);
      return this;
    }

    @Override
    public long size() throws IOException {
      return out.size();
    }

    @Override
    public int read(ByteBuffer bytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public SeekableByteChannel truncate(long size) {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean isOpen() {
      return out.isOpen();
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }

  @Test
  void aFullDiskLeavesTheOldFileWhole() throws IOException {
    Path file = folder.resolve("m.safetensors");
    Map<String, Tensor> old = Map.of("a", f32(1, 2, 3));
    SafetensorsWriter.write(file, old, Map.of());
    byte[] before = Files.readAllBytes(file);
    Map<String, Tensor> larger = Map.of("a", f32(new float[1000]));
    for (int room : new int[] {0, 8, 50, 200, 4000}) {
      assertThatThrownBy(() ->
              AtomicFile.write(
                  file,
                  out ->
                      SafetensorsWriter.writeTo(file, new SmallDisk(out, room), larger, Map.of())))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("cannot write " + file)
          .hasMessageContaining("No space left");
      assertThat(Files.readAllBytes(file)).isEqualTo(before);
      try (Stream<Path> left = Files.list(folder)) {
        assertThat(left).containsExactly(file);
      }
    }
    AtomicFile.write(
        file,
        out -> SafetensorsWriter.writeTo(file, new SmallDisk(out, 1 << 20), larger, Map.of()));
    try (SafetensorsFile read = Safetensors.open(file)) {
      assertThat(read.tensor("a").elements()).isEqualTo(1000);
    }
  }

  @Test
  void refusesWhatCannotBeStored() {
    Path file = folder.resolve("m.safetensors");
    assertThatThrownBy(
            () -> SafetensorsWriter.write(file, Map.of("__metadata__", f32(1)), Map.of()))
        .hasMessageContaining("cannot be named");
    Tensor away =
        new Tensor("x", DType.F32, Shape.of(1), new Device.Cuda(0), MemorySegment.ofAddress(64), 0);
    assertThatThrownBy(() -> SafetensorsWriter.write(file, Map.of("x", away), Map.of()))
        .hasMessageContaining("must be copied to the host first");
    assertThat(file).doesNotExist();
  }

  @Test
  void tensorsThatAreMadeOneAfterAnotherGiveTheSameFile() throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("b", f32(1, 2));
    tensors.put("a", f32(3));
    tensors.put(
        "u",
        Tensor.onHost("u", DType.U8, Shape.of(3), MemorySegment.ofArray(new byte[] {1, 2, 3})));
    tensors.put("none", Tensor.onHost("n", DType.BF16, Shape.of(0, 5), MemorySegment.NULL));
    Path whole = folder.resolve("whole.safetensors");
    SafetensorsWriter.write(whole, tensors, Map.of("format", "pt"));
    Path made = folder.resolve("made.safetensors");
    SafetensorsWriter.write(
        made,
        infos(tensors),
        Map.of("format", "pt"),
        sink -> {
          sink.put("u", tensors.get("u"));
          Tensor reused = f32(3);
          sink.put("a", reused);
          reused.put(99f);
          sink.put("none", tensors.get("none"));
          sink.put("b", tensors.get("b"));
        });
    assertThat(made).hasSameBinaryContentAs(whole);
  }

  private static List<TensorInfo> infos(Map<String, Tensor> tensors) {
    return tensors.entrySet().stream().map(e -> TensorInfo.of(e.getKey(), e.getValue())).toList();
  }

  @Test
  void everyAnnouncedTensorComesOnceAndAsAnnounced() {
    Path file = folder.resolve("m.safetensors");
    List<TensorInfo> one = infos(Map.of("a", f32(1, 2)));
    assertThatThrownBy(() -> SafetensorsWriter.write(file, one, Map.of(), sink -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("'a' did not come");
    assertThatThrownBy(() ->
            SafetensorsWriter.write(
                file,
                one,
                Map.of(),
                sink -> {
                  sink.put("a", f32(1, 2));
                  sink.put("a", f32(1, 2));
                }))
        .hasMessageContaining("'a' came twice");
    assertThatThrownBy(
            () -> SafetensorsWriter.write(file, one, Map.of(), sink -> sink.put("b", f32(1, 2))))
        .hasMessageContaining("'b' was not announced");
    assertThatThrownBy(
            () -> SafetensorsWriter.write(file, one, Map.of(), sink -> sink.put("a", f32(1))))
        .hasMessageContaining("was announced as F32[2]");
    List<TensorInfo> twice = List.of(one.getFirst(), one.getFirst());
    assertThatThrownBy(() -> SafetensorsWriter.write(file, twice, Map.of(), sink -> {}))
        .hasMessageContaining("two tensors 'a'");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void tensorsOfAScopeCanBeWritten() throws IOException {
    try (Scope scope = Scope.open("test", Memory.host())) {
      Tensor t = scope.allocate("x", DType.BF16, 2, 2).put(1f, -2f, 0.5f, 3f);
      Path file = folder.resolve("m.safetensors");
      SafetensorsWriter.write(file, Map.of("x", t), Map.of());
      try (SafetensorsFile read = Safetensors.open(file)) {
        assertThat(read.tensor("x").toFloats()).containsExactly(1f, -2f, 0.5f, 3f);
      }
    }
  }
}
