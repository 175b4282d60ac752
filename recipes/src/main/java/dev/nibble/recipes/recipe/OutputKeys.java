package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.required;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.flag;
import static dev.nibble.recipes.schema.KeyTypes.oneOf;
import static dev.nibble.recipes.schema.KeyTypes.outputPath;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.compute.tensor.DType;
import dev.nibble.recipes.recipe.Recipe.Adapter;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyValues;
import dev.nibble.recipes.schema.Schema.Group;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Keys of the run's folder and what is saved in it. */
final class OutputKeys {
  private OutputKeys() {}

  static final Key<Recipe, Path> OUTPUT_DIR =
      Key.of(
          "output_dir",
          outputPath(),
          required(),
          r -> r.output().folder(),
          "Folder that the run writes: adapter or model, checkpoints, metrics, the resolved recipe.");

  static final Key<Recipe, Boolean> OVERWRITE =
      Key.of(
          "overwrite_output_dir",
          flag(),
          value(false),
          r -> r.output().overwrite(),
          "Replace an earlier run in `output_dir`, like `nibble train --overwrite`. Without it, an earlier run is an error.");

  static final Key<Recipe, Integer> SAVE_STEPS =
      Key.of(
          "save_steps",
          wholeNumber(0),
          value(0),
          r -> r.output().saveSteps(),
          "Steps between checkpoints. One is saved in any case after the best validation, at the end, and on Ctrl-C: with 0 only then.");

  static final Key<Recipe, Integer> SAVE_TOTAL_LIMIT =
      Key.of(
          "save_total_limit",
          wholeNumber(1),
          value(2),
          r -> r.output().saveLimit(),
          "Number of checkpoints to keep; the oldest are deleted first. The one of the best validation stays besides.");

  static final Key<Recipe, Boolean> LOAD_BEST =
      Key.of(
          "load_best_model_at_end",
          flag(),
          value(false),
          r -> r.output().best(),
          "Make the weights with the lowest validation loss the run's result, in place of the last. Needs `val_set_size` or `test_datasets`.");

  static final Key<Recipe, DType> SAVE_DTYPE =
      Key.when(
          "save_dtype",
          oneOf(List.of(DType.F32, DType.BF16, DType.F16)),
          value(DType.F32),
          r ->
              Optional.of(r.output().saveDType())
                  .filter(type -> r.model().adapter() == Adapter.NONE),
          "With `adapter: none`: data type of the saved model. Adapters and checkpoints are saved in 32 bits.");

  static final Key<Recipe, Integer> LOGGING_STEPS =
      Key.of(
          "logging_steps",
          wholeNumber(1),
          value(10),
          r -> r.output().loggingSteps(),
          "Steps between log lines when the output is not a terminal. `metrics.jsonl` has every step.");

  static final RecipeKeys.Part PART =
      new RecipeKeys.Part(
          new Group<>(
              "Output",
              List.of(
                  OUTPUT_DIR,
                  OVERWRITE,
                  SAVE_STEPS,
                  SAVE_TOTAL_LIMIT,
                  LOAD_BEST,
                  SAVE_DTYPE,
                  LOGGING_STEPS)),
          List.of(OutputKeys::checkBest, OutputKeys::checkSaveDType));

  private static void checkBest(KeyValues<Recipe> v) {
    boolean validates =
        v.given(DataKeys.TEST_DATASETS) || v.find(DataKeys.VAL_SET_SIZE).orElse(0.0) > 0;
    if (v.is(LOAD_BEST, true) && !validates) {
      v.problem(LOAD_BEST, "there is no validation loss; write val_set_size or test_datasets");
    }
  }

  private static void checkSaveDType(KeyValues<Recipe> v) {
    if (v.find(ModelKeys.ADAPTER).filter(a -> a != Adapter.NONE).isPresent()) {
      v.refuse(
          "only used with adapter: none, adapters are saved in 32 bits; remove it", SAVE_DTYPE);
    }
  }

  static Recipe.Output build(KeyValues<Recipe> v) {
    return new Recipe.Output(
        v.get(OUTPUT_DIR),
        v.get(OVERWRITE),
        v.get(SAVE_STEPS),
        v.get(SAVE_TOTAL_LIMIT),
        v.get(LOAD_BEST),
        v.get(SAVE_DTYPE),
        v.get(LOGGING_STEPS));
  }
}
