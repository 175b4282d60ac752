package dev.nibble.data.files;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The splits of a folder's files, by their names, as the {@code datasets} library finds them:
 * shards in {@code data} such as {@code train-00000-of-00002.parquet}; else folders with a split's
 * name; else files with one. A split's name is a whole word: {@code my_dev.jsonl} is validation
 * data, {@code devices.jsonl} is not.
 */
final class SplitNames {
  private static final Map<String, List<String>> WORDS = new LinkedHashMap<>();

  static {
    WORDS.put("train", List.of("train", "training"));
    WORDS.put("validation", List.of("validation", "valid", "dev", "val"));
    WORDS.put("test", List.of("test", "testing", "eval", "evaluation"));
  }

  private static final Pattern SHARD =
      Pattern.compile("(\\w+(?:\\.\\w+)*)-\\d{5}-of-\\d{5}.*\\..*");

  private SplitNames() {}

  /**
   * The files of each split.
   *
   * @param folder the folder
   * @param files files below it, in order
   * @return empty when no name holds a split's
   */
  static Map<String, List<Path>> of(Path folder, List<Path> files) {
    return Stream.<Function<Path, Optional<String>>>of(
            SplitNames::ofShard, SplitNames::ofFolder, SplitNames::ofFile)
        .map(rule -> grouped(files, file -> rule.apply(folder.relativize(file))))
        .filter(splits -> !splits.isEmpty())
        .findFirst()
        .orElse(Map.of());
  }

  private static Map<String, List<Path>> grouped(
      List<Path> files, Function<Path, Optional<String>> split) {
    Map<String, List<Path>> splits = new LinkedHashMap<>();
    for (Path file : files) {
      split
          .apply(file)
          .ifPresent(name -> splits.computeIfAbsent(name, n -> new ArrayList<>()).add(file));
    }
    return splits;
  }

  private static Optional<String> ofShard(Path file) {
    Matcher shard = SHARD.matcher(String.valueOf(file.getFileName()));
    return file.getNameCount() == 2 && file.startsWith("data") && shard.matches()
        ? Optional.of(shard.group(1))
        : Optional.empty();
  }

  private static Optional<String> ofFolder(Path file) {
    for (int i = 0; i + 1 < file.getNameCount(); i++) {
      Optional<String> split = word(file.getName(i).toString(), "");
      if (split.isPresent()) {
        return split;
      }
    }
    return Optional.empty();
  }

  private static Optional<String> ofFile(Path file) {
    return word(String.valueOf(file.getFileName()), "[-._ 0-9].*");
  }

  /** The split whose name is a word of a text. */
  private static Optional<String> word(String text, String after) {
    return WORDS.entrySet().stream()
        .filter(split -> text.matches(expression(split.getValue(), after)))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  private static String expression(List<String> words, String after) {
    String end = after.isEmpty() ? "([-._ 0-9].*)?" : after;
    return words.stream().collect(Collectors.joining("|", "(.*[-._ 0-9])?(", ")")) + end;
  }

  /** The name of the split that a word stands for; the word itself where it is none of them. */
  static String canonical(String word) {
    return WORDS.entrySet().stream()
        .filter(split -> split.getValue().contains(word))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(word);
  }
}
