package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.required;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.datasetPath;
import static dev.nibble.recipes.schema.KeyTypes.oneOf;
import static dev.nibble.recipes.schema.KeyTypes.text;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.data.format.Alpaca;
import dev.nibble.data.format.PromptTemplate;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.recipes.recipe.Recipe.Dataset;
import dev.nibble.recipes.recipe.Recipe.Format;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyType;
import dev.nibble.recipes.schema.KeyValues;
import dev.nibble.recipes.schema.Problems;
import dev.nibble.recipes.schema.Schema;
import dev.nibble.recipes.schema.Schema.Group;
import dev.nibble.recipes.yaml.Node;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/**
 * Keys of one dataset, for every record that names one.
 *
 * @param <R> the record
 */
final class DatasetKeys<R> {
  /** The name of the key of its place. */
  static final String PATH = "path";

  private final Key<R, Path> path;
  private final Key<R, Format> format;
  private final Key<R, String> split;
  private final Key<R, Integer> limit;
  private final Key<R, PromptTemplate> prompt;
  private final Key<R, String> instruction;
  private final Key<R, String> input;
  private final Key<R, String> output;
  private final Key<R, String> text;
  private final MessagesKeys<R> messages;

  /** The schema of an entry of {@code datasets}. */
  static Schema<Dataset> schema() {
    DatasetKeys<Dataset> keys = new DatasetKeys<>(Function.identity());
    return new Schema<>(
        List.of(new Group<>("Dataset", keys.keys())), List.of(keys::check), keys::build);
  }

  DatasetKeys(Function<R, Dataset> of) {
    path =
        Key.of(
            PATH,
            datasetPath(),
            required(),
            r -> of.apply(r).path(),
            "A `.parquet`, `.arrow`, `.jsonl`, `.json`, `.csv` or `.tsv` file, text also as `.gz` or `.zst`; a folder of such"
                + " files, of the Hub or of the `datasets` library; or a pattern such as `data/part-*.jsonl`. See [data](data.md).");
    format =
        Key.of(
            "type",
            oneOf(Format.class),
            value(Format.ALPACA),
            r -> of.apply(r).format(),
            "Kind of rows: `alpaca` (instruction, input, output), `prompt_completion` (prompt, completion),"
                + " `completion` (plain text, all of it trained on), or a conversation, rendered by the chat template: `messages` or `chat_template` (role and content), `sharegpt`"
                + " (from and value). See [chat templates](chat-templates.md).");
    split =
        Key.when(
            "split",
            text(),
            otherwise("`train` where a folder holds several"),
            r -> of.apply(r).split(),
            "Split to use, if the folder has several.");
    limit =
        Key.when(
            "limit",
            wholeNumber(1),
            otherwise("all rows"),
            r -> of.apply(r).limit(),
            "Use only the first so many rows.");
    prompt =
        Key.when(
            "prompt",
            new PromptType(),
            otherwise("the Alpaca prompt"),
            r -> of.apply(r).prompt(),
            "With `type: alpaca`: the prompt, with `{instruction}` and `{input}` in place of the columns. The answer follows"
                + " it directly; with `chat_template`, it is the user's message.");
    instruction = column("instruction", of, Format.ALPACA, d -> d.columns().instruction());
    input = column("input", of, Format.ALPACA, d -> d.columns().input());
    output = column("output", of, Format.ALPACA, d -> d.columns().output());
    text = column("text", of, Format.COMPLETION, Dataset::textColumn);
    messages = new MessagesKeys<>(of.andThen(Dataset::messages), r -> of.apply(r).format());
  }

  private static <R> Key<R, String> column(
      String column, Function<R, Dataset> of, Format format, Function<Dataset, String> name) {
    return Key.when(
        "field_" + column,
        text(),
        value(column),
        r -> Optional.of(of.apply(r)).filter(d -> d.format() == format).map(name),
        "With `type: %s`: the column that holds the %s."
            .formatted(format.name().toLowerCase(Locale.ROOT), column));
  }

  List<Key<R, ?>> keys() {
    List<Key<R, ?>> all =
        new ArrayList<>(
            List.of(path, format, split, limit, prompt, instruction, input, output, text));
    all.addAll(messages.keys());
    return all;
  }

  void check(KeyValues<R> v) {
    Optional<Format> type = v.find(format);
    if (type.isEmpty()) {
      return;
    }
    if (type.get() != Format.ALPACA) {
      v.refuse("only used with type: alpaca; remove it", prompt, instruction, input, output);
    }
    if (type.get() != Format.COMPLETION) {
      v.refuse("only used with type: completion; remove it", text);
    }
    if (!type.get().isConversation()) {
      messages.refuse(v);
    }
  }

  /** Plain text has no answer that a generated one could equal. */
  void checkHasAnswers(KeyValues<R> v) {
    if (v.is(format, Format.COMPLETION)) {
      v.problem(
          format,
          "rows of type completion have no answers; use alpaca or a type with conversations");
    }
  }

  Dataset build(KeyValues<R> v) {
    return new Dataset(
        v.get(path),
        v.get(format),
        v.find(split),
        v.find(limit),
        v.find(prompt),
        v.is(format, Format.PROMPT_COMPLETION)
            ? Alpaca.Columns.PROMPT_COMPLETION
            : new Alpaca.Columns(v.get(instruction), v.get(input), v.get(output)),
        v.get(text),
        messages.build(v, v.get(format)));
  }

  /** A prompt with placeholders. */
  private record PromptType() implements KeyType<PromptTemplate> {
    private static final KeyType<String> TEXT = text();

    @Override
    public String describe() {
      return TEXT.describe();
    }

    @Override
    public Optional<PromptTemplate> read(Node node, String path, Problems problems) {
      return TEXT.read(node, path, problems)
          .flatMap(text -> {
            try {
              return Optional.of(new PromptTemplate(text));
            } catch (InvalidDataset e) {
              problems.add(node.place(), path, e.problem());
              return Optional.empty();
            }
          });
    }

    @Override
    public Object plain(PromptTemplate value) {
      return value.text();
    }
  }
}
