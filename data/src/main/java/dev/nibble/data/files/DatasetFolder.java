package dev.nibble.data.files;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.RowSequence;
import dev.nibble.data.rows.RowSource;
import dev.nibble.errors.NearestName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A folder that is a dataset: one that the {@code datasets} library saved ({@code state.json} lists
 * its shards, {@code dataset_dict.json} its splits), or plain shards, in the order of their names.
 */
final class DatasetFolder {
  private static final JsonMapper JSON = new JsonMapper();
  private static final Set<String> ENDINGS =
      Set.of("arrow", "feather", "parquet", "jsonl", "json", "ndjson", "csv");

  private DatasetFolder() {}

  static RowSource open(Path folder, Optional<String> split) {
    if (Files.exists(folder.resolve("dataset_dict.json"))) {
      return split(folder, split);
    }
    if (split.isPresent()) {
      Path below = folder.resolve(split.get());
      if (Files.isDirectory(below)) {
        return open(below, Optional.empty());
      }
      return ofSplit(folder, split.get());
    }
    if (Files.exists(folder.resolve("state.json"))) {
      return saved(folder);
    }
    return sequence(folder, shards(folder));
  }

  private static RowSource split(Path folder, Optional<String> split) {
    Path file = folder.resolve("dataset_dict.json");
    List<String> splits = json(file).path("splits").valueStream().map(JsonNode::asString).toList();
    String wanted =
        split.orElseThrow(() ->
            new InvalidDataset(folder + ": has the splits " + splits + "; say which to use."));
    if (!splits.contains(wanted)) {
      throw new InvalidDataset(
          "%s: has no split '%s', only %s.%s"
              .formatted(folder, wanted, splits, NearestName.hint(splits, wanted)));
    }
    return open(folder.resolve(wanted), Optional.empty());
  }

  private static RowSource saved(Path folder) {
    Path state = folder.resolve("state.json");
    List<Path> files = new ArrayList<>();
    for (JsonNode entry : json(state).path("_data_files")) {
      String name = entry.path("filename").asString("");
      Path file = folder.resolve(name).normalize();
      if (name.isEmpty() || !file.startsWith(folder.normalize())) {
        throw new InvalidDataset(
            state + ": the data file '" + name + "' is not inside the folder. Save it again.");
      }
      if (!Files.isRegularFile(file)) {
        throw new InvalidDataset(
            state
                + ": names the data file '"
                + name
                + "', which is missing. Copy the whole folder.");
      }
      files.add(file);
    }
    if (files.isEmpty()) {
      throw new InvalidDataset(state + ": names no data files under '_data_files'.");
    }
    return sequence(folder, files);
  }

  /** Shards whose names start with the split, such as {@code train-00000-of-00002.parquet}. */
  private static RowSource ofSplit(Path folder, String split) {
    List<Path> files =
        shards(folder).stream()
            .filter(f ->
                String.valueOf(f.getFileName())
                    .matches(java.util.regex.Pattern.quote(split) + "[-_.].*"))
            .toList();
    if (files.isEmpty()) {
      throw new InvalidDataset(
          "%s: has no split '%s': neither a folder of that name nor files that start with it."
              .formatted(folder, split));
    }
    return sequence(folder, files);
  }

  private static List<Path> shards(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> shards =
          files
              .filter(Files::isRegularFile)
              .filter(f -> ENDINGS.contains(Datasets.ending(f)))
              .filter(f -> !String.valueOf(f.getFileName()).equals("dataset_info.json"))
              .sorted()
              .toList();
      List<String> kinds = shards.stream().map(Datasets::ending).distinct().toList();
      if (shards.isEmpty()) {
        throw new InvalidDataset(folder + ": holds no dataset; expected " + Datasets.KNOWN + ".");
      }
      if (kinds.size() > 1) {
        throw new InvalidDataset(
            folder + ": holds files of several kinds " + kinds + "; give the path of one of them.");
      }
      return shards;
    } catch (IOException e) {
      throw new InvalidDataset(folder + ": cannot be listed: " + e.getMessage(), e);
    }
  }

  private static RowSource sequence(Path folder, List<Path> files) {
    return new RowSequence(folder.toString(), files.stream().map(Datasets::file).toList());
  }

  private static JsonNode json(Path file) {
    try {
      return JSON.readTree(file);
    } catch (JacksonException e) {
      throw new InvalidDataset(file + ": not valid JSON: " + e.getOriginalMessage(), e);
    }
  }
}
