package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.flag;
import static dev.nibble.recipes.schema.KeyTypes.section;
import static dev.nibble.recipes.schema.Numbers.wholeNumber;

import dev.nibble.data.format.PromptTemplate;
import dev.nibble.recipes.recipe.Recipe.AnswerEval;
import dev.nibble.recipes.recipe.Recipe.Dataset;
import dev.nibble.recipes.recipe.Recipe.Format;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyValues;
import dev.nibble.recipes.schema.Schema;
import dev.nibble.recipes.schema.Schema.Group;
import java.util.List;
import java.util.Optional;

/** Keys of evaluation. */
final class EvaluationKeys {
  private EvaluationKeys() {}

  private static final DatasetKeys<AnswerEval> ROWS = new DatasetKeys<>(AnswerEval::dataset);

  private static final Key<AnswerEval, Integer> MAX_NEW_TOKENS =
      Key.of(
          "max_new_tokens",
          wholeNumber(1),
          value(32),
          AnswerEval::maxNewTokens,
          "Largest number of tokens in an answer.");

  private static final Key<AnswerEval, Boolean> BASELINE =
      Key.of(
          "baseline",
          flag(),
          value(false),
          AnswerEval::baseline,
          "Also measure a logistic regression (Tribuo) on the words of the prompts, trained on the rows of"
              + " `datasets`. For answers that are one of a few labels.");

  static final Schema<AnswerEval> ANSWERS =
      new Schema<>(
          List.of(
              new Group<>("Rows", ROWS.keys()),
              new Group<>("Measurement", List.of(MAX_NEW_TOKENS, BASELINE))),
          List.of(ROWS::check, ROWS::checkHasAnswers),
          v -> new AnswerEval(ROWS.build(v), v.get(MAX_NEW_TOKENS), v.get(BASELINE)));

  static final Key<Recipe, Boolean> EVAL_ON_START =
      Key.of(
          "eval_on_start",
          flag(),
          value(false),
          r -> r.evaluation().evalOnStart(),
          "Also measure the validation loss before the first step, to compare the trained model with.");

  static final Key<Recipe, Integer> EVAL_STEPS =
      Key.of(
          "eval_steps",
          wholeNumber(0),
          value(0),
          r -> r.evaluation().evalSteps(),
          "Steps between measurements of the validation loss; 0 = only at the end.");

  static final Key<Recipe, Integer> PATIENCE =
      Key.when(
          "early_stopping_patience",
          wholeNumber(1),
          otherwise("the run goes to its end"),
          r -> Optional.of(r.evaluation().patience()).filter(n -> n > 0),
          "End the run after so many evaluations in a row without a lower validation loss. Needs `eval_steps`.");

  static final Key<Recipe, AnswerEval> ANSWER_EVAL =
      Key.when(
          "answer_eval",
          section(ANSWERS),
          otherwise("not measured"),
          r -> r.evaluation().answers(),
          "Generate answers for the rows of a test set before and after training, and count those that equal the row's"
              + " output. It has the keys of [answer_eval](#answer_eval).");

  static final RecipeKeys.Part PART =
      new RecipeKeys.Part(
          new Group<>("Evaluation", List.of(EVAL_ON_START, EVAL_STEPS, PATIENCE, ANSWER_EVAL)),
          List.of(EvaluationKeys::checkStart, EvaluationKeys::checkPatience));

  private static void checkStart(KeyValues<Recipe> v) {
    if (v.given(EVAL_ON_START) && v.get(EVAL_ON_START)) {
      checkValidates(EVAL_ON_START, v);
    }
  }

  private static void checkValidates(Key<Recipe, ?> key, KeyValues<Recipe> v) {
    if (!v.given(DataKeys.TEST_DATASETS) && !v.given(DataKeys.VAL_SET_SIZE)) {
      v.problem(key, "there is no validation loss; write val_set_size or test_datasets");
    }
  }

  private static void checkPatience(KeyValues<Recipe> v) {
    if (!v.given(PATIENCE)) {
      return;
    }
    if (!v.given(EVAL_STEPS) || v.get(EVAL_STEPS) == 0) {
      v.problem(PATIENCE, "the validation loss is measured at the end only; write eval_steps");
    }
    checkValidates(PATIENCE, v);
  }

  static Recipe.Evaluation build(KeyValues<Recipe> v) {
    Optional<PromptTemplate> trainPrompt =
        v.get(DataKeys.DATASETS).stream()
            .filter(d -> d.format() == Format.ALPACA)
            .findFirst()
            .flatMap(Dataset::prompt);
    return new Recipe.Evaluation(
        v.get(EVAL_ON_START),
        v.get(EVAL_STEPS),
        v.find(PATIENCE).orElse(0),
        v.find(ANSWER_EVAL).map(e -> withPrompt(e, trainPrompt)));
  }

  /** Without a prompt of its own, the test set is asked as the training data was. */
  private static AnswerEval withPrompt(AnswerEval eval, Optional<PromptTemplate> trainPrompt) {
    return eval.dataset().format() == Format.ALPACA
        ? new AnswerEval(
            eval.dataset().withDefaultPrompt(trainPrompt), eval.maxNewTokens(), eval.baseline())
        : eval;
  }
}
