package dev.nibble.data.files;

import dev.nibble.data.json.InvalidJson;
import dev.nibble.data.json.JsonReader;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.RowSequence;
import dev.nibble.data.rows.RowSource;
import dev.nibble.errors.NearestName;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A folder that is a dataset: one that the {@code datasets} library saved ({@code state.json} lists
 * its shards, {@code dataset_dict.json} its splits), or files whose names say which split each
 * belongs to, in the order of their paths. Of several splits, {@code train} is read where none is
 * asked for.
 */
final class DatasetFolder {
  private static final String TRAIN = "train";
  private static final Pattern CONFIGURATION =
      Pattern.compile("^\\s*(?:-\\s*)?config_name:\\s*['\"]?([^'\"\\s]+)", Pattern.MULTILINE);

  private DatasetFolder() {}

  static RowSource open(Path folder, Optional<String> split) {
    if (Files.exists(folder.resolve("dataset_dict.json"))) {
      return savedSplit(folder, split);
    }
    if (Files.exists(folder.resolve("state.json"))) {
      return saved(folder, split);
    }
    List<Path> files = FileTree.dataFiles(folder);
    checkOneConfiguration(folder);
    Map<String, List<Path>> splits = SplitNames.of(folder, files);
    List<Path> chosen =
        split
            .map(name -> ofSplit(folder, files, splits, name))
            .orElseGet(() -> byDefault(folder, files, splits));
    return sequence(folder, ofOneKind(folder, chosen));
  }

  private static List<Path> byDefault(
      Path folder, List<Path> files, Map<String, List<Path>> splits) {
    return splits.isEmpty()
        ? files
        : splits.getOrDefault(defaultSplit(folder, splits.keySet()), List.of());
  }

  private static String defaultSplit(Path folder, Collection<String> splits) {
    if (splits.size() == 1) {
      return splits.iterator().next();
    }
    if (!splits.contains(TRAIN)) {
      throw new InvalidDataset(folder + ": has the splits " + splits + "; say which to use.");
    }
    return TRAIN;
  }

  private static RowSource savedSplit(Path folder, Optional<String> split) {
    List<String> splits = texts(json(folder.resolve("dataset_dict.json")).get("splits"));
    String wanted = split.orElseGet(() -> defaultSplit(folder, splits));
    if (!splits.contains(wanted)) {
      throw noSplit(folder, wanted, splits);
    }
    return saved(folder.resolve(wanted), Optional.empty());
  }

  private static RowSource saved(Path folder, Optional<String> split) {
    Path state = folder.resolve("state.json");
    Map<?, ?> saved = json(state);
    Object own = saved.get("_split");
    split
        .filter(wanted -> !wanted.equals(own))
        .ifPresent(wanted -> {
          throw noSplit(folder, wanted, own instanceof String name ? List.of(name) : List.of());
        });
    List<Path> files = new ArrayList<>();
    for (String name : names(saved.get("_data_files"))) {
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

  /**
   * The files of a split: by the rules for names, else those in a folder of that name, or that
   * begin with it.
   */
  private static List<Path> ofSplit(
      Path folder, List<Path> files, Map<String, List<Path>> splits, String split) {
    List<Path> named =
        splits.getOrDefault(split, splits.getOrDefault(SplitNames.canonical(split), List.of()));
    if (!named.isEmpty()) {
      return named;
    }
    Pattern start = Pattern.compile(Pattern.quote(split) + "([-_.].*)?");
    List<Path> starting =
        files.stream()
            .filter(file -> {
              Path relative = folder.relativize(file);
              return start.matcher(relative.getName(0).toString()).matches();
            })
            .toList();
    if (starting.isEmpty()) {
      throw noSplit(folder, split, splits.keySet());
    }
    return starting;
  }

  private static InvalidDataset noSplit(Path folder, String split, Collection<String> splits) {
    return new InvalidDataset(
        "%s: has no split '%s'%s.%s"
            .formatted(
                folder,
                split,
                splits.isEmpty()
                    ? ": neither a folder of that name nor files that start with it"
                    : ", only " + splits,
                NearestName.hint(Set.copyOf(splits), split)));
  }

  /** The page of a dataset on the Hub may say that it is several, each in a folder of its own. */
  private static void checkOneConfiguration(Path folder) {
    Path page = folder.resolve("README.md");
    if (!Files.isRegularFile(page)) {
      return;
    }
    Set<String> names = new TreeSet<>();
    Matcher matcher = CONFIGURATION.matcher(frontMatter(page));
    while (matcher.find()) {
      names.add(matcher.group(1));
    }
    if (names.size() > 1) {
      throw new InvalidDataset(
          "%s: is several datasets, which README.md calls %s. Give the path of the folder or the files of one of them."
              .formatted(folder, names));
    }
  }

  /** What stands between the first two lines of dashes. */
  private static String frontMatter(Path page) {
    try {
      String text = Files.readString(page);
      int end = text.indexOf("\n---", 3);
      return text.startsWith("---") && end > 0 ? text.substring(0, end) : "";
    } catch (CharacterCodingException e) {
      return ""; // a page that is not UTF-8 describes no dataset of the Hub
    } catch (IOException e) {
      throw new InvalidDataset(page + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private static List<Path> ofOneKind(Path folder, List<Path> files) {
    if (files.isEmpty()) {
      throw new InvalidDataset(folder + ": holds no dataset; expected " + Datasets.KNOWN + ".");
    }
    Set<DataFile> kinds =
        files.stream().flatMap(f -> DataFile.of(f).stream()).collect(Collectors.toSet());
    if (kinds.size() > 1) {
      throw new InvalidDataset(
          "%s: holds files of several kinds, such as %s; give the path of one of them, or a pattern such as %s."
              .formatted(folder, oneOfEachKind(folder, files), folder.resolve("*.jsonl")));
    }
    return files;
  }

  private static Collection<Path> oneOfEachKind(Path folder, List<Path> files) {
    return files.stream()
        .collect(
            Collectors.toMap(
                f -> DataFile.of(f).orElseThrow(), folder::relativize, (first, _) -> first))
        .values();
  }

  static RowSource sequence(Path folder, List<Path> files) {
    return new RowSequence(folder.toString(), files.stream().map(Datasets::file).toList());
  }

  private static Map<?, ?> json(Path file) {
    try {
      return JsonReader.parse(Files.readString(file)) instanceof Map<?, ?> map ? map : Map.of();
    } catch (InvalidJson e) {
      throw new InvalidDataset(
          "%s, line %d, column %d: not valid JSON: %s. Save the dataset again."
              .formatted(file, e.line(), e.column(), e.problem()),
          e);
    } catch (IOException e) {
      throw new InvalidDataset(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private static List<String> texts(@Nullable Object list) {
    return list instanceof List<?> items ? items.stream().map(String::valueOf).toList() : List.of();
  }

  /** The names of files in a list of structs. */
  private static List<String> names(@Nullable Object list) {
    return list instanceof List<?> items
        ? items.stream()
            .map(item ->
                item instanceof Map<?, ?> m && m.get("filename") instanceof String s ? s : "")
            .toList()
        : List.of();
  }
}
