package dev.nibble.api.wiring;

import dev.nibble.api.event.Event;
import dev.nibble.data.batching.Corpus;
import dev.nibble.data.batching.Subset;
import dev.nibble.data.files.Datasets;
import dev.nibble.data.rows.Projection;
import dev.nibble.data.rows.RowPrefix;
import dev.nibble.data.rows.RowSource;
import dev.nibble.data.samples.Dataset;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.recipes.recipe.Recipe;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The samples of a run.
 *
 * @param train to learn from
 * @param validation to measure the loss with, if the recipe asks for it
 */
public record RunData(Subset train, Optional<Subset> validation) {

  /** How many rows and tokens there are. */
  public Event.DataRead report() {
    return new Event.DataRead(train.report(), validation.map(Subset::report));
  }

  /**
   * Reads every row once.
   *
   * @param listener hears how many rows were read
   */
  public static RunData scan(
      Recipe.Data data, long seed, Formats formats, Tokenizer tokenizer, Consumer<Event> listener) {
    ReadingProgress progress = new ReadingProgress(listener);
    Corpus corpus =
        Corpus.scan(datasets(data.train(), formats, tokenizer, progress), data.maxBadRows());
    if (!data.validation().isEmpty()) {
      Corpus held =
          Corpus.scan(datasets(data.validation(), formats, tokenizer, progress), data.maxBadRows());
      progress.end();
      return new RunData(corpus.all(), Optional.of(held.all()));
    }
    progress.end();
    Corpus.Split split = corpus.split(data.validationSize(), seed);
    return new RunData(
        split.train(), Optional.of(split.validation()).filter(held -> !held.isEmpty()));
  }

  private static List<Dataset> datasets(
      List<Recipe.Dataset> datasets,
      Formats formats,
      Tokenizer tokenizer,
      ReadingProgress progress) {
    return datasets.stream()
        .map(d -> new Dataset(progress.of(rows(d, formats)), formats.samples(d, tokenizer)))
        .toList();
  }

  /**
   * The rows of a dataset, or as many of them as the recipe takes, with the columns that its format
   * reads.
   */
  public static RowSource rows(Recipe.Dataset dataset, Formats formats) {
    RowSource rows =
        Datasets.open(dataset.path(), dataset.split())
            .only(Projection.of(formats.of(dataset).columns()));
    return dataset.limit().<RowSource>map(limit -> new RowPrefix(rows, limit)).orElse(rows);
  }
}
