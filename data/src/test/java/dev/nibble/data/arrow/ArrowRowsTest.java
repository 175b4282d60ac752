package dev.nibble.data.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.Golden;
import dev.nibble.data.Rows;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.RowCursor;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.arrow.compression.CommonsCompressionFactory;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float4Vector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.LargeVarCharVector;
import org.apache.arrow.vector.NullVector;
import org.apache.arrow.vector.UInt1Vector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.compression.CompressionUtil;
import org.apache.arrow.vector.compression.NoCompressionCodec;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryEncoder;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowFileWriter;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.arrow.vector.ipc.ArrowWriter;
import org.apache.arrow.vector.ipc.message.IpcOption;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.util.Text;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ArrowRowsTest {
  private static final int ROWS = 500;
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "stream, NO_COMPRESSION",
    "file, NO_COMPRESSION",
    "stream, ZSTD",
    "file, ZSTD",
    "stream, LZ4_FRAME",
    "file, LZ4_FRAME"
  })
  void readsAllTypes(String format, CompressionUtil.CodecType codec) throws IOException {
    Path file = folder.resolve("rows.arrow");
    write(file, format.equals("file"), codec);
    List<Row> rows = Rows.all(new ArrowRows(file));
    assertThat(rows).hasSize(2 * ROWS);
    for (int i = 0; i < rows.size(); i++) {
      assertThat(rows.get(i).values()).isEqualTo(expected(i % ROWS));
      assertThat(rows.get(i).number()).isEqualTo(i + 1);
    }
    assertThat(new ArrowRows(file).columns())
        .containsExactly("text", "large", "int", "byte", "long", "float", "bool", "none", "word");
  }

  @Test
  void rowsOutliveTheirBatch() throws IOException {
    Path file = folder.resolve("rows.arrow");
    write(file, false, CompressionUtil.CodecType.NO_COMPRESSION);
    try (RowCursor cursor = new ArrowRows(file).open()) {
      assertThat(cursor.advance()).isTrue();
      Row first = cursor.row();
      while (cursor.advance()) {}
      assertThat(first.values()).isEqualTo(expected(0));
    }
  }

  @Test
  void saysWhereAStreamIsTruncated() throws IOException {
    Path file = folder.resolve("cut.arrow");
    write(file, false, CompressionUtil.CodecType.NO_COMPRESSION);
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length * 3 / 4));
    assertThatThrownBy(() -> new ArrowRows(file).columns())
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining(file + ": cannot be read as Arrow data (record batch 2: ")
        .hasMessageContaining("cut short");
    Files.write(file, Arrays.copyOf(bytes, 40));
    assertThatThrownBy(() -> new ArrowRows(file).columns())
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining(file + ": cannot be read as Arrow data");
  }

  /**
   * A damaged file gives rows or an {@link InvalidDataset}, and never leaks memory or brings the
   * JVM down.
   */
  @Test
  void survivesDamage() throws IOException {
    byte[] sound =
        Files.readAllBytes(Golden.path("datasets/messages_arrow/data-00000-of-00001.arrow"));
    Path file = folder.resolve("damaged.arrow");
    SplittableRandom random = new SplittableRandom(1);
    int refused = 0;
    for (int round = 0; round < 60; round++) {
      byte[] bytes = sound.clone();
      for (int i = 0; i < 4; i++) {
        bytes[4 + random.nextInt(bytes.length - 4)] = (byte) random.nextInt(256);
      }
      Files.write(file, bytes);
      try {
        Rows.all(new ArrowRows(file));
      } catch (InvalidDataset e) {
        refused++;
      }
    }
    assertThat(refused).isPositive();
  }

  private static Map<String, @Nullable Object> expected(int i) {
    boolean absent = i % 7 == 3;
    Map<String, @Nullable Object> row = new LinkedHashMap<>();
    row.put("text", absent ? null : "wört " + i);
    row.put("large", "large " + i);
    row.put("int", (long) -i);
    row.put("byte", (long) (i % 256));
    row.put("long", absent ? null : (1L << 40) + i);
    row.put("float", i / 4.0);
    row.put("bool", i % 2 == 0);
    row.put("none", null);
    row.put("word", i % 3 == 0 ? "noun" : "verb");
    return row;
  }

  /** Writes the expected rows twice, as two record batches. */
  private static void write(Path file, boolean random, CompressionUtil.CodecType codec)
      throws IOException {
    try (BufferAllocator allocator = new RootAllocator();
        VarCharVector words = new VarCharVector("words", allocator);
        VarCharVector plain = new VarCharVector("word", allocator)) {
      words.setSafe(0, new Text("noun"));
      words.setSafe(1, new Text("verb"));
      words.setValueCount(2);
      Dictionary dictionary = new Dictionary(words, new DictionaryEncoding(1, false, null));
      for (int i = 0; i < ROWS; i++) {
        plain.setSafe(i, new Text(i % 3 == 0 ? "noun" : "verb"));
      }
      plain.setValueCount(ROWS);
      List<FieldVector> vectors =
          List.of(
              new VarCharVector("text", allocator),
              new LargeVarCharVector("large", allocator),
              new IntVector("int", allocator),
              new UInt1Vector("byte", allocator),
              new BigIntVector("long", allocator),
              new Float4Vector("float", allocator),
              new BitVector("bool", allocator),
              new NullVector("none", ROWS),
              (FieldVector) DictionaryEncoder.encode(plain, dictionary));
      for (int i = 0; i < ROWS; i++) {
        fill(vectors, i);
      }
      vectors.forEach(v -> v.setValueCount(ROWS));
      DictionaryProvider dictionaries = new DictionaryProvider.MapDictionaryProvider(dictionary);
      try (VectorSchemaRoot root = new VectorSchemaRoot(vectors);
          FileChannel out =
              FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          ArrowWriter writer = writer(root, dictionaries, out, random, codec)) {
        writer.start();
        writer.writeBatch();
        writer.writeBatch();
        writer.end();
      }
    }
  }

  private static ArrowWriter writer(
      VectorSchemaRoot root,
      DictionaryProvider dictionaries,
      FileChannel out,
      boolean random,
      CompressionUtil.CodecType codec) {
    var factory =
        codec == CompressionUtil.CodecType.NO_COMPRESSION
            ? NoCompressionCodec.Factory.INSTANCE
            : CommonsCompressionFactory.INSTANCE;
    return random
        ? new ArrowFileWriter(root, dictionaries, out, Map.of(), IpcOption.DEFAULT, factory, codec)
        : new ArrowStreamWriter(root, dictionaries, out, IpcOption.DEFAULT, factory, codec);
  }

  private static void fill(List<FieldVector> vectors, int i) {
    Map<String, @Nullable Object> row = expected(i);
    if (row.get("text") instanceof String text) {
      ((VarCharVector) vectors.get(0)).setSafe(i, new Text(text));
      ((BigIntVector) vectors.get(4)).setSafe(i, (1L << 40) + i);
    }
    ((LargeVarCharVector) vectors.get(1)).setSafe(i, new Text("large " + i));
    ((IntVector) vectors.get(2)).setSafe(i, -i);
    ((UInt1Vector) vectors.get(3)).setSafe(i, i % 256);
    ((Float4Vector) vectors.get(5)).setSafe(i, i / 4f);
    ((BitVector) vectors.get(6)).setSafe(i, i % 2 == 0 ? 1 : 0);
  }
}
