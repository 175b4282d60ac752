package dev.nibble.api.wiring;

import dev.nibble.api.event.Event;
import dev.nibble.data.format.PromptFormat;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.RowCursor;
import dev.nibble.data.rows.RowSource;
import dev.nibble.data.samples.SampleMaker;
import dev.nibble.data.tokenizer.InvalidText;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipe.AnswerEval;
import dev.nibble.trainer.evaluation.Accuracy;
import dev.nibble.trainer.evaluation.AnswerAccuracy;
import dev.nibble.trainer.evaluation.BagOfWordsBaseline;
import dev.nibble.trainer.evaluation.LabeledText;
import dev.nibble.trainer.evaluation.Question;
import dev.nibble.trainer.generate.Generator;
import dev.nibble.trainer.generate.Sampler;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Decoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** The questions of {@code answer_eval}, and what is asked of a model with them. */
public final class AnswerEvaluation {
  /** Tokens of all answers under way together: what the cache is sized for. */
  public static final int CACHE_TOKENS = 2048;

  private static final int MOST_SEQUENCES = 32;

  private final Recipe recipe;
  private final AnswerEval eval;
  private final Formats formats;
  private final Tokenizer tokenizer;
  private final List<Question> questions = new ArrayList<>();

  public AnswerEvaluation(Recipe recipe, AnswerEval eval, Formats formats, Tokenizer tokenizer) {
    this.recipe = recipe;
    this.eval = eval;
    this.formats = formats;
    this.tokenizer = tokenizer;
    SampleMaker samples = formats.samples(eval.dataset(), tokenizer);
    RowSource rows = RunData.rows(eval.dataset(), formats);
    try (RowCursor cursor = rows.open()) {
      while (cursor.advance()) {
        questions.add(question(cursor.row(), samples));
      }
    }
    if (questions.isEmpty()) {
      throw new InvalidDataset(rows.describe() + ": answer_eval has no rows to ask.");
    }
  }

  private static Question question(Row row, SampleMaker samples) {
    var asked = samples.format().question(row);
    try {
      return new Question(samples.prompt(asked), asked.prompt(), asked.answer());
    } catch (InvalidText e) {
      throw row.invalid(e);
    }
  }

  public int size() {
    return questions.size();
  }

  /**
   * Asks the model, which answers with its likeliest tokens. An answer is right when it equals the
   * row's.
   *
   * @param listener hears how many questions were begun
   */
  public Accuracy measure(CausalLm model, Consumer<Event> listener) {
    int longest = questions.stream().mapToInt(q -> q.prompt().length).max().orElseThrow();
    int capacity = longest + eval.maxNewTokens();
    int sequences = Math.clamp(CACHE_TOKENS / capacity, 1, MOST_SEQUENCES);
    try (Decoder decoder = model.decoder(Math.min(sequences, questions.size()), capacity)) {
      Generator generator =
          new Generator(decoder, new Sampler.Greedy(), 0, formats.stopTokens(tokenizer));
      return new AnswerAccuracy(
              questions, eval.maxNewTokens(), tokens -> tokenizer.decode(tokens, true))
          .measure(
              generator,
              begun ->
                  listener.accept(
                      new Event.Working(Event.Activity.ASKING_QUESTIONS, begun, questions.size())));
    }
  }

  /**
   * What a simple classifier reaches that learns from the rows of {@code datasets}, if the recipe
   * asks for it.
   */
  public Optional<Accuracy> baseline() {
    if (!eval.baseline()) {
      return Optional.empty();
    }
    List<LabeledText> rows = new ArrayList<>();
    for (Recipe.Dataset dataset : recipe.data().train()) {
      PromptFormat format = formats.of(dataset);
      try (RowCursor cursor = RunData.rows(dataset, formats).open()) {
        while (cursor.advance()) {
          try {
            var asked = format.question(cursor.row());
            rows.add(new LabeledText(asked.prompt(), asked.answer().strip()));
          } catch (InvalidDataset e) {
            // One of the rows that the recipe lets be skipped; training does without it too.
          }
        }
      }
    }
    List<LabeledText> asked =
        questions.stream().map(q -> new LabeledText(q.text(), q.answer().strip())).toList();
    return Optional.of(BagOfWordsBaseline.train(rows, recipe.training().seed()).measure(asked));
  }
}
