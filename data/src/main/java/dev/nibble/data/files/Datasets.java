package dev.nibble.data.files;

import dev.nibble.data.arrow.ArrowRows;
import dev.nibble.data.arrow.ParquetRows;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.RowSource;
import dev.nibble.data.text.CsvRows;
import dev.nibble.data.text.JsonRows;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * Datasets on disk. The format of a file is told by its first bytes where it has a signature
 * (Arrow, Parquet), otherwise by the ending of its name.
 */
public final class Datasets {
  /** Formats that can be read, for messages. */
  static final String KNOWN =
      "Arrow (.arrow, .feather), Parquet (.parquet), JSON (.jsonl, .json), CSV (.csv) or a folder of them,"
          + " or a folder that the datasets library saved";

  private Datasets() {}

  /** Opens a file, a folder of shards or a saved dataset without splits. */
  public static RowSource open(Path path) {
    return open(path, Optional.empty());
  }

  /**
   * Opens a dataset.
   *
   * @param split the split to take of a dataset with splits
   * @throws InvalidDataset when there is no such file, it is of no known kind, or the split does
   *     not fit
   */
  public static RowSource open(Path path, Optional<String> split) {
    if (Files.isDirectory(path)) {
      return DatasetFolder.open(path, split);
    }
    if (!Files.exists(path)) {
      throw new InvalidDataset(
          path
              + ": there is no such file or folder (looked for "
              + path.toAbsolutePath()
              + "). Give the path of a dataset: "
              + KNOWN
              + ".");
    }
    split.ifPresent(s -> {
      throw new InvalidDataset(
          "%s: is one file and has no split '%s'. Leave the split out, or give the folder."
              .formatted(path, s));
    });
    return file(path);
  }

  static RowSource file(Path file) {
    byte[] head = head(file);
    if (head.length == 0) {
      throw new InvalidDataset(file + ": the file is empty.");
    }
    String start = new String(head, StandardCharsets.ISO_8859_1);
    if (start.startsWith("PAR1")) {
      return new ParquetRows(file);
    }
    // A stream starts with the continuation marker of its first message.
    if (start.startsWith("ARROW1") || start.startsWith("\u00ff\u00ff\u00ff\u00ff")) {
      return new ArrowRows(file);
    }
    return switch (ending(file)) {
      case "jsonl", "json", "ndjson" -> new JsonRows(file);
      case "csv" -> new CsvRows(file);
      case "arrow", "feather" ->
          throw new InvalidDataset(
              file + ": is no Arrow data, despite its name. Fetch or write the file again.");
      case "parquet" ->
          throw new InvalidDataset(
              file + ": is no Parquet data, despite its name. Fetch or write the file again.");
      default -> throw new InvalidDataset(file + ": unknown kind of file; expected " + KNOWN + ".");
    };
  }

  static String ending(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
  }

  private static byte[] head(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(8);
    } catch (IOException e) {
      throw new InvalidDataset(file + ": cannot be read: " + e.getMessage(), e);
    }
  }
}
