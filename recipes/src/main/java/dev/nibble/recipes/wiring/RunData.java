package dev.nibble.recipes.wiring;

import dev.nibble.data.batching.Corpus;
import dev.nibble.data.batching.Subset;
import dev.nibble.data.files.Datasets;
import dev.nibble.data.format.Alpaca;
import dev.nibble.data.format.Completion;
import dev.nibble.data.format.Messages;
import dev.nibble.data.format.PromptFormat;
import dev.nibble.data.format.PromptTemplate;
import dev.nibble.data.rows.RowPrefix;
import dev.nibble.data.rows.RowSource;
import dev.nibble.data.samples.Dataset;
import dev.nibble.data.samples.ExcessLength;
import dev.nibble.data.samples.SampleMaker;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.recipes.recipe.Recipe;
import java.util.List;
import java.util.Optional;

/**
 * The samples of a run.
 *
 * @param train to learn from
 * @param validation to measure the loss with, if the recipe asks for it
 */
record RunData(Subset train, Optional<Subset> validation) {

  /** Reads every row once. */
  static RunData scan(Recipe.Data data, long seed, Tokenizer tokenizer) {
    Corpus corpus = Corpus.scan(datasets(data.train(), data, tokenizer));
    if (!data.validation().isEmpty()) {
      Corpus held = Corpus.scan(datasets(data.validation(), data, tokenizer));
      return new RunData(corpus.all(), Optional.of(held.all()));
    }
    Corpus.Split split = corpus.split(data.validationSize(), seed);
    return new RunData(
        split.train(), Optional.of(split.validation()).filter(held -> !held.isEmpty()));
  }

  private static List<Dataset> datasets(
      List<Recipe.Dataset> datasets, Recipe.Data data, Tokenizer tokenizer) {
    return datasets.stream().map(d -> new Dataset(rows(d), samples(d, data, tokenizer))).toList();
  }

  /** The rows of a dataset, or as many of them as the recipe takes. */
  static RowSource rows(Recipe.Dataset dataset) {
    RowSource rows = Datasets.open(dataset.path(), dataset.split());
    return dataset.limit().<RowSource>map(limit -> new RowPrefix(rows, limit)).orElse(rows);
  }

  /** What makes samples of its rows. */
  static SampleMaker samples(Recipe.Dataset dataset, Recipe.Data data, Tokenizer tokenizer) {
    return new SampleMaker(
        tokenizer,
        format(dataset),
        data.sequenceLength(),
        ExcessLength.valueOf(data.excess().name()),
        data.trainOnInputs());
  }

  /** What makes text of its rows. */
  static PromptFormat format(Recipe.Dataset dataset) {
    Recipe.Columns columns = dataset.columns();
    return switch (dataset.format()) {
      case ALPACA -> {
        Alpaca alpaca =
            dataset
                .prompt()
                .map(text -> Alpaca.with(new PromptTemplate(text)))
                .orElseGet(Alpaca::standard);
        yield alpaca.withColumns(
            new Alpaca.Columns(columns.instruction(), columns.input(), columns.output()));
      }
      case COMPLETION -> new Completion(columns.text());
      case MESSAGES -> new Messages(columns.messages());
    };
  }
}
