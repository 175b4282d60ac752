package dev.nibble.trainer.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.generate.Generator;
import dev.nibble.trainer.generate.Sampler;
import dev.nibble.trainer.model.Decoder;
import dev.nibble.trainer.toy.ToyLm;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class AnswerAccuracyTest {
  private static final int VOCAB = 6;
  private static final int END = 5;

  /** The model counts upwards to {@link #END}; a token's text is a space and its number. */
  @Test
  void asksAndCompares() {
    List<Question> questions =
        List.of(
            new Question(new int[] {0, 2}, "after 2", "3 4"),
            new Question(new int[] {3}, "after 3", " 4 "),
            new Question(new int[] {1}, "after 1", "2"),
            new Question(new int[] {4}, "after 4", "4"));
    try (Scope scope = Scope.open("test", Memory.host())) {
      ToyLm model = new ToyLm(VOCAB, scope);
      Tensor table = model.parameters().named("table").weight();
      for (int t = 0; t < END; t++) {
        table.setFloat((long) t * VOCAB + t + 1, 1);
      }
      try (Decoder decoder = model.decoder(2, 16)) {
        List<Integer> begun = new ArrayList<>();
        Accuracy accuracy =
            new AnswerAccuracy(questions, 8, AnswerAccuracyTest::decode)
                .measure(new Generator(decoder, new Sampler.Greedy(), 0, Set.of(END)), begun::add);

        assertThat(accuracy.answers())
            .extracting(Answer::given)
            .containsExactly("3 4", "4", "2 3 4", "");
        assertThat(begun).startsWith(0).isSorted().endsWith(3); // the fourth answer is empty
        assertThat(accuracy.accuracy()).isEqualTo(0.5);
        assertThat(accuracy.detail()).isEqualTo(new Accuracy.FreeText((1 + 1 + 0.5 + 0) / 4));
        assertThat(accuracy.samples(2))
            .extracting(Answer::question)
            .containsExactly("after 2", "after 1");
        assertThat(accuracy.samples(9)).hasSize(4);
      }
    }
  }

  @Test
  void refusesNoQuestions() {
    assertThatThrownBy(() -> new AnswerAccuracy(List.of(), 8, AnswerAccuracyTest::decode))
        .hasMessageContaining("no questions");
  }

  private static String decode(int[] tokens) {
    return Arrays.stream(tokens).mapToObj(t -> " " + t).collect(Collectors.joining());
  }
}
