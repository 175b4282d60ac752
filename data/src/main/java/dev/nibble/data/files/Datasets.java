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
import java.util.List;
import java.util.Optional;

/**
 * Datasets on disk. The format of a file is told by its first bytes where it has a signature
 * (Arrow, Parquet), otherwise by the ending of its name.
 */
public final class Datasets {
  /** Formats that can be read, for messages. */
  static final String KNOWN =
      "Arrow (.arrow, .feather), Parquet (.parquet), JSON (.jsonl, .json, .ndjson), separated values (.csv, .tsv),"
          + " these texts compressed (.gz, .zst), a folder of them, a pattern such as data/*.jsonl, or a folder that"
          + " the datasets library saved";

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
    if (!Files.exists(path) && FileTree.isGlob(path)) {
      return matching(path, split);
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

  /**
   * The files that the path of a dataset stands for: itself, all in its folder, those that describe
   * the rows included, or what its pattern matches. None where {@link #open} finds nothing.
   */
  public static List<Path> files(Path path) {
    if (Files.isDirectory(path)) {
      return FileTree.all(path);
    }
    if (Files.exists(path)) {
      return List.of(path);
    }
    return FileTree.isGlob(path) ? FileTree.matching(path) : List.of();
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
    return switch (DataFile.of(file).orElseGet(() -> bySyntax(file))) {
      case JSON -> new JsonRows(file);
      case SEPARATED -> new CsvRows(file);
      case ARROW ->
          throw new InvalidDataset(
              file + ": is no Arrow data, despite its name. Fetch or write the file again.");
      case PARQUET ->
          throw new InvalidDataset(
              file + ": is no Parquet data, despite its name. Fetch or write the file again.");
    };
  }

  /** Text without a telling name is JSON where it begins like it. */
  private static DataFile bySyntax(Path file) {
    if (JsonRows.isLikely(file)) {
      return DataFile.JSON;
    }
    throw new InvalidDataset(file + ": unknown kind of file; expected " + KNOWN + ".");
  }

  private static RowSource matching(Path glob, Optional<String> split) {
    split.ifPresent(s -> {
      throw new InvalidDataset(
          "%s: is a pattern and has no split '%s'. Leave the split out, or give the folder."
              .formatted(glob, s));
    });
    List<Path> files = FileTree.matching(glob);
    if (files.isEmpty()) {
      throw new InvalidDataset(glob + ": no file with rows matches this pattern.");
    }
    return DatasetFolder.sequence(glob, files);
  }

  private static byte[] head(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(8);
    } catch (IOException e) {
      throw new InvalidDataset(file + ": cannot be read: " + e.getMessage(), e);
    }
  }
}
