package dev.nibble.trainer.evaluation;

import dev.nibble.trainer.generate.Continuation;
import dev.nibble.trainer.generate.Generator;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntConsumer;

/** Lets a model answer questions and counts exact matches, both sides trimmed of white space. */
public final class AnswerAccuracy {
  private final List<Question> questions;
  private final int maxNewTokens;
  private final Function<int[], String> decode;

  /**
   * A fixed set of questions.
   *
   * @param maxNewTokens where an answer without a stop token is cut
   * @param decode token ids to text
   */
  public AnswerAccuracy(
      List<Question> questions, int maxNewTokens, Function<int[], String> decode) {
    if (questions.isEmpty()) {
      throw new EvaluationException("no questions: accuracy needs at least one");
    }
    this.questions = List.copyOf(questions);
    this.maxNewTokens = maxNewTokens;
    this.decode = decode;
  }

  /**
   * Asks all questions. The generator should be greedy, so that the same model gets the same
   * accuracy.
   *
   * @param begun hears how many questions have an answer or a part of one
   */
  public Accuracy measure(Generator generator, IntConsumer begun) {
    int[] most = {0};
    begun.accept(0);
    List<Continuation> continuations =
        generator.generate(
            questions.stream().map(Question::prompt).toList(),
            maxNewTokens,
            (question, token) -> {
              if (question >= most[0]) {
                most[0] = question + 1;
                begun.accept(most[0]);
              }
              return true;
            });
    List<Answer> answers = new ArrayList<>();
    for (int i = 0; i < questions.size(); i++) {
      Question q = questions.get(i);
      String given = decode.apply(continuations.get(i).tokens()).strip();
      answers.add(new Answer(q.text(), q.answer().strip(), given));
    }
    return Accuracy.of(answers);
  }
}
