package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.required;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.flag;
import static dev.nibble.recipes.schema.KeyTypes.listOf;
import static dev.nibble.recipes.schema.KeyTypes.oneOf;
import static dev.nibble.recipes.schema.KeyTypes.section;
import static dev.nibble.recipes.schema.Numbers.atLeast;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.data.samples.ExcessLength;
import dev.nibble.recipes.recipe.Recipe.Dataset;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyType;
import dev.nibble.recipes.schema.KeyValues;
import dev.nibble.recipes.schema.Schema;
import dev.nibble.recipes.schema.Schema.Group;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Keys of the data. */
final class DataKeys {
  private DataKeys() {}

  static final Schema<Dataset> DATASET = DatasetKeys.schema();
  private static final KeyType<List<Dataset>> DATASET_LIST =
      listOf(section(DATASET), "datasets, each with a path and a type");

  static final Key<Recipe, List<Dataset>> DATASETS =
      Key.of(
          "datasets",
          DATASET_LIST,
          required(),
          r -> r.data().train(),
          "The training data: a list, each entry with the keys of [a dataset](#a-dataset).");

  static final Key<Recipe, List<Dataset>> TEST_DATASETS =
      Key.when(
          "test_datasets",
          DATASET_LIST,
          otherwise("see `val_set_size`"),
          r -> Optional.of(r.data().validation()).filter(list -> !list.isEmpty()),
          "Datasets for the validation loss, written like `datasets`.");

  static final Key<Recipe, Double> VAL_SET_SIZE =
      Key.of(
          "val_set_size",
          atLeast(0),
          value(0.0),
          r -> r.data().validationSize(),
          "Samples of `datasets` held out for the validation loss: a fraction if below 1, otherwise a number of samples.");

  static final Key<Recipe, Integer> SEQUENCE_LEN =
      Key.of(
          "sequence_len",
          wholeNumber(2),
          value(1024),
          r -> r.data().sequenceLength(),
          "Largest number of tokens in a sample, prompt and answer together.");

  static final Key<Recipe, Boolean> SAMPLE_PACKING =
      Key.of(
          "sample_packing",
          flag(),
          value(true),
          r -> r.data().packing(),
          "Fill each row of `sequence_len` tokens with several samples, which do not attend to each other; rows come in random order. A step"
              + " then takes as many samples as fit: `train` says how many on average.");

  static final Key<Recipe, ExcessLength> EXCESS =
      Key.of(
          "excess_length_strategy",
          oneOf(ExcessLength.class),
          value(ExcessLength.DROP),
          r -> r.data().excess(),
          "What to do with longer samples: leave them out (`drop`), cut off their end (`truncate`), or stop with an error (`raise`). Samples that are left out or cut are counted and reported.");

  static final Key<Recipe, Boolean> TRAIN_ON_INPUTS =
      Key.of(
          "train_on_inputs",
          flag(),
          value(false),
          r -> r.data().trainOnInputs(),
          "Also train on prompts. By default the loss is computed on answers only.");

  static final Key<Recipe, Boolean> TRAIN_ON_EMPTY_ANSWERS =
      Key.of(
          "train_on_empty_answers",
          flag(),
          value(false),
          r -> r.data().trainOnEmptyAnswers(),
          "Train on answers without text too, from which a model learns to end at once. By default they are left out, and"
              + " `train` says how many there are and names the first.");

  static final Key<Recipe, Boolean> SHUFFLE =
      Key.of(
          "shuffle",
          flag(),
          value(true),
          r -> r.data().shuffle(),
          "Shuffle the samples in every epoch, in an order that depends on `seed`. Rows are never all in memory: they are drawn at random"
              + " from 10,000 read ahead, so larger sets are mixed over that distance, and packed 4,096 at a time.");

  static final Key<Recipe, Double> MAX_BAD_ROWS =
      Key.of(
          "max_bad_rows",
          atLeast(0),
          value(0.0),
          r -> r.data().maxBadRows(),
          "Rows that may be left out because they cannot be used: a fraction if below 1, otherwise a number. More of them"
              + " stop the run with an error that says how many there are, and the first of each kind.");

  static final RecipeKeys.Part PART =
      new RecipeKeys.Part(
          new Group<>(
              "Data",
              Stream.concat(
                      Stream.of(
                          DATASETS,
                          TEST_DATASETS,
                          VAL_SET_SIZE,
                          SEQUENCE_LEN,
                          SAMPLE_PACKING,
                          EXCESS,
                          TRAIN_ON_INPUTS,
                          TRAIN_ON_EMPTY_ANSWERS,
                          SHUFFLE,
                          MAX_BAD_ROWS),
                      ChatKeys.keys().stream())
                  .toList()),
          List.of(DataKeys::checkValidation, ChatKeys::check));

  private static void checkValidation(KeyValues<Recipe> v) {
    double size = v.find(VAL_SET_SIZE).orElse(0.0);
    if (size > 0 && v.given(TEST_DATASETS)) {
      v.problem(VAL_SET_SIZE, "test_datasets is given too; keep one of them");
    }
    if (size >= 1 && size != Math.rint(size)) {
      v.problem(VAL_SET_SIZE, "expected a part below 1 or a whole number of samples, got " + size);
    }
  }

  static Recipe.Data build(KeyValues<Recipe> v) {
    return new Recipe.Data(
        v.get(DATASETS),
        v.find(TEST_DATASETS).orElse(List.of()),
        v.get(VAL_SET_SIZE),
        v.get(SEQUENCE_LEN),
        v.get(SAMPLE_PACKING),
        v.get(EXCESS),
        v.get(TRAIN_ON_INPUTS),
        v.get(TRAIN_ON_EMPTY_ANSWERS),
        v.get(SHUFFLE),
        v.get(MAX_BAD_ROWS),
        ChatKeys.build(v));
  }
}
