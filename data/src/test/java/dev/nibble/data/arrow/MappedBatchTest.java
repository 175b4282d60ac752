package dev.nibble.data.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.rows.InvalidDataset;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowFileWriter;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.arrow.vector.ipc.ArrowWriter;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Record batches whose values stay in the file. */
class MappedBatchTest {
  private static final int ROWS = 64;
  private static final int TEXT_BYTES = 1 << 16;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "rows/types.arrow",
        "rows/columnar/dict.arrow",
        "rows/columnar/many.arrow",
        "rows/columnar/ree.arrow",
        "rows/extra/union.arrow",
        "rows/extra/listview.arrow",
        "rows/extra/binview.arrow",
        "golden/datasets/messages_arrow/data-00000-of-00001.arrow"
      })
  void haveTheSameRows(String name) throws IOException {
    Path file = copy(name);
    List<Map<String, @Nullable Object>> copied = rows(file, Long.MAX_VALUE);
    assertThat(copied).isNotEmpty();
    assertThat(rows(file, 1)).isEqualTo(copied);
  }

  /** A write to mapped memory would bring the JVM down, and the test with it. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "rows/types.arrow",
        "rows/extra/union.arrow",
        "rows/extra/listview.arrow",
        "golden/datasets/messages_arrow/data-00000-of-00001.arrow"
      })
  void areNeverWrittenTo(String name) throws IOException {
    Path file = copy(name);
    byte[] sound = Files.readAllBytes(file);
    SplittableRandom random = new SplittableRandom(3);
    int refused = 0;
    for (int round = 0; round < 100; round++) {
      byte[] bytes = sound.clone();
      for (int i = 0; i < 3; i++) {
        bytes[8 + random.nextInt(bytes.length - 8)] = (byte) random.nextInt(4);
      }
      Files.write(file, bytes);
      try {
        rows(file, 1);
      } catch (InvalidDataset e) {
        refused++;
      }
    }
    assertThat(refused).isPositive();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void areUnmappedAtTheEnd(boolean random) throws IOException {
    Path file = write(random);
    long before = mapped();
    try (ArrowCursor cursor = new ArrowRows(file).open()) {
      assertThat(cursor.advance()).isTrue();
      assertThat(mapped() - before).isGreaterThan((long) ROWS * TEXT_BYTES);
      while (cursor.advance()) {}
    }
    assertThat(mapped()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void areRefusedWhenTheFileGetsShorter(boolean random) throws IOException {
    Path file = write(random);
    long before = mapped();
    try (ArrowCursor cursor = new ArrowRows(file).open()) {
      assertThat(cursor.advance()).isTrue();
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(1 << 20);
      }
      assertThatThrownBy(
              () -> {
                while (cursor.advance()) {}
              })
          .isInstanceOf(InvalidDataset.class)
          .hasMessageContaining(
              file + ", record batch 1, row 2: the data are corrupt or cut short");
    }
    assertThat(mapped()).isEqualTo(before);
  }

  private static List<Map<String, @Nullable Object>> rows(Path file, long leastMapped) {
    List<Map<String, @Nullable Object>> rows = new ArrayList<>();
    try (ArrowCursor cursor = new ArrowRows(file).open(leastMapped)) {
      while (cursor.advance()) {
        rows.add(cursor.row().values());
      }
    }
    return rows;
  }

  private static long mapped() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("mapped"))
        .mapToLong(BufferPoolMXBean::getTotalCapacity)
        .sum();
  }

  private Path copy(String name) throws IOException {
    Path file = folder.resolve("rows.arrow");
    try (InputStream in =
        Objects.requireNonNull(getClass().getClassLoader().getResourceAsStream(name))) {
      Files.copy(in, file);
    }
    return file;
  }

  /** One record batch of long texts. */
  private Path write(boolean random) throws IOException {
    Path file = folder.resolve("long.arrow");
    try (BufferAllocator allocator = new RootAllocator();
        VarCharVector texts = new VarCharVector("text", allocator)) {
      for (int i = 0; i < ROWS; i++) {
        texts.setSafe(i, new byte[TEXT_BYTES]);
      }
      texts.setValueCount(ROWS);
      DictionaryProvider none = new DictionaryProvider.MapDictionaryProvider();
      try (VectorSchemaRoot root = new VectorSchemaRoot(List.of(texts));
          FileChannel out =
              FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          ArrowWriter writer =
              random
                  ? new ArrowFileWriter(root, none, out)
                  : new ArrowStreamWriter(root, none, out)) {
        writer.start();
        writer.writeBatch();
        writer.end();
      }
    }
    return file;
  }
}
