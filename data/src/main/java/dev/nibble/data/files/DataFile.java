package dev.nibble.data.files;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the name of a file says about the rows in it. */
enum DataFile {
  ARROW,
  PARQUET,
  JSON,
  SEPARATED;

  private static final Map<String, DataFile> ENDINGS =
      Map.of(
          "arrow", ARROW,
          "feather", ARROW,
          "parquet", PARQUET,
          "jsonl", JSON,
          "json", JSON,
          "ndjson", JSON,
          "csv", SEPARATED,
          "tsv", SEPARATED);

  private static final Set<String> COMPRESSED = Set.of("gz", "zst");

  /** Files that describe a dataset and hold no rows. */
  private static final Set<String> DESCRIPTIONS =
      Set.of(
          "config.json",
          "dataset_dict.json",
          "dataset_info.json",
          "dataset_infos.json",
          "state.json");

  /**
   * The kind that a name ends with, before {@code .gz} or {@code .zst} where text is compressed.
   */
  static Optional<DataFile> of(Path file) {
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    String ending = ending(name);
    if (COMPRESSED.contains(ending)) {
      DataFile kind = ENDINGS.get(ending(name.substring(0, name.length() - ending.length() - 1)));
      return Optional.ofNullable(kind).filter(DataFile::isText);
    }
    @Nullable DataFile kind = ENDINGS.get(ending);
    return Optional.ofNullable(kind);
  }

  private static String ending(String name) {
    return name.substring(name.lastIndexOf('.') + 1);
  }

  /** Whether an empty file is one without rows. */
  boolean isText() {
    return this == JSON || this == SEPARATED;
  }

  /** Whether a file describes a dataset. */
  static boolean isDescription(Path file) {
    return DESCRIPTIONS.contains(String.valueOf(file.getFileName()));
  }

  /** Whether a name is that of a hidden or temporary file or folder. */
  static boolean isHidden(Path name) {
    String text = name.toString();
    return text.startsWith(".") || text.startsWith("__") || text.startsWith("~");
  }
}
