package dev.nibble.examples.wordnet;

import dev.nibble.examples.ProgramException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;
import org.apache.arrow.compression.CommonsCompressionFactory;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.compression.CompressionUtil.CodecType;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.arrow.vector.ipc.message.IpcOption;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Folders as Python's {@code datasets} library saves them: shards in Arrow's stream format, {@code
 * state.json} and {@code dataset_info.json}. Buffers are compressed with Zstandard.
 */
final class SavedDataset {
  private static final int SHARD_ROWS = 60_000;
  private static final int BATCH_ROWS = 10_000;

  /** The strongest level that needs no extra memory to read. */
  private static final int ZSTD_LEVEL = 19;

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private SavedDataset() {}

  /** Saves splits, by name, as a {@code DatasetDict}. */
  static void writeSplits(
      Path folder, Map<String, Table> splits, String description, String license)
      throws IOException {
    Files.createDirectories(folder);
    JSON.writeValue(
        folder.resolve("dataset_dict.json"), Map.of("splits", List.copyOf(splits.keySet())));
    for (Map.Entry<String, Table> split : splits.entrySet()) {
      write(folder.resolve(split.getKey()), split.getKey(), split.getValue(), description, license);
    }
  }

  /** Saves one split as a {@code Dataset}. */
  static void write(Path folder, String split, Table table, String description, String license)
      throws IOException {
    Files.createDirectories(folder);
    Map<String, Object> text = new LinkedHashMap<>();
    text.put("dtype", "string");
    text.put("_type", "Value");
    Map<String, Object> features = new LinkedHashMap<>();
    table.columns().forEach(c -> features.put(c, text));
    Schema schema = schema(table.columns(), features);

    int shards = Math.max(1, Math.ceilDiv(table.rows().size(), SHARD_ROWS));
    List<Map<String, String>> files = new ArrayList<>();
    for (int i = 0; i < shards; i++) {
      String name = "data-%05d-of-%05d.arrow".formatted(i, shards);
      int from = i * SHARD_ROWS;
      int to = Math.min(table.rows().size(), from + SHARD_ROWS);
      writeShard(folder.resolve(name), schema, table.rows().subList(from, to));
      files.add(Map.of("filename", name));
    }
    Map<String, Object> info = new LinkedHashMap<>();
    info.put("citation", "");
    info.put("description", description);
    info.put("features", features);
    info.put("homepage", "https://wordnet.princeton.edu");
    info.put("license", license);
    JSON.writeValue(folder.resolve("dataset_info.json"), info);
    JSON.writeValue(folder.resolve("state.json"), state(split, files, fingerprint(table)));
  }

  private static Map<String, @Nullable Object> state(
      String split, List<Map<String, String>> files, String fingerprint) {
    Map<String, @Nullable Object> state = new LinkedHashMap<>();
    state.put("_data_files", files);
    state.put("_fingerprint", fingerprint);
    state.put("_format_columns", null);
    state.put("_format_kwargs", Map.of());
    state.put("_format_type", null);
    state.put("_output_all_columns", false);
    state.put("_split", split);
    return state;
  }

  private static Schema schema(List<String> columns, Map<String, Object> features) {
    FieldType text = FieldType.nullable(ArrowType.Utf8.INSTANCE);
    String info =
        JsonMapper.shared().writeValueAsString(Map.of("info", Map.of("features", features)));
    return new Schema(
        columns.stream().map(c -> new Field(c, text, List.of())).toList(),
        Map.of("huggingface", info));
  }

  private static String fingerprint(Table table) {
    CRC32 rows = new CRC32();
    table.rows().forEach(r -> r.forEach(v -> rows.update(v.getBytes(StandardCharsets.UTF_8))));
    return "%08x%08x".formatted(rows.getValue(), table.rows().size());
  }

  private static void writeShard(Path file, Schema schema, List<List<String>> rows)
      throws IOException {
    try (BufferAllocator allocator = new RootAllocator();
        VectorSchemaRoot root = VectorSchemaRoot.create(schema, allocator);
        FileChannel out =
            FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        ArrowStreamWriter writer =
            new ArrowStreamWriter(
                root,
                new DictionaryProvider.MapDictionaryProvider(),
                out,
                IpcOption.DEFAULT,
                CommonsCompressionFactory.INSTANCE,
                CodecType.ZSTD,
                Optional.of(ZSTD_LEVEL))) {
      writer.start();
      for (int from = 0; from < rows.size(); from += BATCH_ROWS) {
        List<List<String>> batch = rows.subList(from, Math.min(rows.size(), from + BATCH_ROWS));
        root.clear();
        for (int c = 0; c < schema.getFields().size(); c++) {
          VarCharVector vector = (VarCharVector) root.getVector(c);
          for (int r = 0; r < batch.size(); r++) {
            vector.setSafe(r, batch.get(r).get(c).getBytes(StandardCharsets.UTF_8));
          }
        }
        root.setRowCount(batch.size());
        writer.writeBatch();
      }
      writer.end();
    }
  }

  /**
   * All rows of one split, in order.
   *
   * @throws ProgramException when {@code folder} holds no saved split
   */
  static Table read(Path folder) throws IOException {
    Path stateFile = folder.resolve("state.json");
    if (!Files.isRegularFile(stateFile)) {
      throw new ProgramException(
          "%s is no saved dataset: it has no state.json. PrepareWordnet makes one"
              .formatted(folder));
    }
    List<String> columns = new ArrayList<>();
    List<List<String>> rows = new ArrayList<>();
    for (var file : JSON.readTree(stateFile).get("_data_files")) {
      readShard(folder.resolve(file.get("filename").asString()), columns, rows);
    }
    return new Table(columns, rows);
  }

  private static void readShard(Path file, List<String> columns, List<List<String>> rows)
      throws IOException {
    try (BufferAllocator allocator = new RootAllocator();
        InputStream in = Files.newInputStream(file);
        ArrowStreamReader reader =
            new ArrowStreamReader(in, allocator, CommonsCompressionFactory.INSTANCE)) {
      VectorSchemaRoot root = reader.getVectorSchemaRoot();
      columns.clear();
      root.getSchema().getFields().forEach(f -> columns.add(f.getName()));
      while (reader.loadNextBatch()) {
        for (int r = 0; r < root.getRowCount(); r++) {
          List<String> row = new ArrayList<>(columns.size());
          for (int c = 0; c < columns.size(); c++) {
            byte[] utf8 = ((VarCharVector) root.getVector(c)).get(r);
            row.add(new String(utf8, StandardCharsets.UTF_8));
          }
          rows.add(row);
        }
      }
    }
  }
}
