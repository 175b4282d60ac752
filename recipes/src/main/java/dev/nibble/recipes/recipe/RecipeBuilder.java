package dev.nibble.recipes.recipe;

import dev.nibble.recipes.yaml.Origin;
import dev.nibble.recipes.yaml.YamlText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A recipe built in code. The usual keys have methods; {@link #set} takes every key of {@code
 * docs/recipes.md}. Defaults, checks and messages are those of a recipe in a file.
 *
 * <pre>{@code
 * Recipe recipe =
 *     RecipeBuilder.on(Path.of("models/llama"))
 *         .qlora(16)
 *         .dataset(Path.of("rows.jsonl"), "alpaca")
 *         .sequenceLength(512)
 *         .steps(1000)
 *         .output(Path.of("outputs/first"))
 *         .build();
 * }</pre>
 */
public final class RecipeBuilder {
  private final Map<String, Object> keys = new LinkedHashMap<>();
  private final List<Map<String, Object>> datasets = new ArrayList<>();

  private RecipeBuilder() {}

  /** A recipe that trains on the model in {@code base}. */
  public static RecipeBuilder on(Path base) {
    return new RecipeBuilder().set("base_model", base);
  }

  /** Trains a LoRA adapter of this rank on the model in four bits. */
  public RecipeBuilder qlora(int rank) {
    return set("adapter", Recipe.Adapter.QLORA).set("lora_r", rank);
  }

  /** Trains a LoRA adapter of this rank on the model as it is. */
  public RecipeBuilder lora(int rank) {
    return set("adapter", Recipe.Adapter.LORA).set("lora_r", rank);
  }

  /** Trains every weight. */
  public RecipeBuilder allWeights() {
    return set("adapter", Recipe.Adapter.NONE);
  }

  /**
   * Adds a dataset.
   *
   * @param path file or folder
   * @param type such as {@code alpaca}, {@code completion} or {@code messages}
   */
  public RecipeBuilder dataset(Path path, String type) {
    return dataset(path, type, Map.of());
  }

  /**
   * Adds a dataset.
   *
   * @param more further keys of the dataset, such as {@code prompt} or {@code limit}
   */
  public RecipeBuilder dataset(Path path, String type, Map<String, ?> more) {
    Map<String, Object> dataset = new LinkedHashMap<>();
    dataset.put("path", plain(path));
    dataset.put("type", type);
    more.forEach((key, value) -> dataset.put(key, plain(value)));
    datasets.add(dataset);
    return this;
  }

  /** The most tokens of a sample. */
  public RecipeBuilder sequenceLength(int tokens) {
    return set("sequence_len", tokens);
  }

  /** Samples of a micro-batch, and micro-batches of a step. */
  public RecipeBuilder batch(int samples, int microBatches) {
    return set("micro_batch_size", samples).set("gradient_accumulation_steps", microBatches);
  }

  /** The most steps. */
  public RecipeBuilder steps(int steps) {
    return set("max_steps", steps);
  }

  /** The most passes over the data. */
  public RecipeBuilder epochs(int epochs) {
    return set("num_epochs", epochs);
  }

  /** The highest learning rate. */
  public RecipeBuilder learningRate(double rate) {
    return set("learning_rate", rate);
  }

  /** The folder of the run. */
  public RecipeBuilder output(Path folder) {
    return set("output_dir", folder);
  }

  /**
   * Sets a key, in place of an earlier value.
   *
   * @param key its name in a recipe
   * @param value text, a number, a boolean, a path, a constant of an enum, or a list or map of
   *     these
   */
  public RecipeBuilder set(String key, Object value) {
    keys.put(key, plain(value));
    return this;
  }

  /**
   * The recipe.
   *
   * @throws RecipeException with everything that is wrong
   */
  public Recipe build() {
    StringBuilder text = new StringBuilder();
    keys.forEach((key, value) -> text.append(YamlText.entry(key, value)));
    if (!datasets.isEmpty()) {
      text.append(YamlText.entry("datasets", datasets));
    }
    return Recipes.parse(Origin.option("recipe built in code"), text.toString(), List.of());
  }

  private static Object plain(Object value) {
    return switch (value) {
      case Path path -> path.toAbsolutePath().toString();
      case Enum<?> constant -> constant.name().toLowerCase(Locale.ROOT);
      case List<?> list -> list.stream().map(RecipeBuilder::plain).toList();
      case Map<?, ?> map -> {
        Map<Object, Object> plain = new LinkedHashMap<>();
        map.forEach((key, entry) -> plain.put(key, plain(entry)));
        yield plain;
      }
      default -> value;
    };
  }
}
