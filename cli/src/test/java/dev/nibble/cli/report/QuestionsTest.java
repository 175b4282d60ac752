package dev.nibble.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class QuestionsTest {
  @Test
  void theFrameThatAllPromptsShareIsLeftOut() {
    assertThat(
            Questions.distinctParts(
                List.of(
                    "### Instruction:\nWhich?\n### Input:\na large cat\n### Response:\n",
                    "### Instruction:\nWhich?\n### Input:\na small oak tree\n### Response:\n")))
        .containsExactly("large cat", "small oak tree");
  }

  @Test
  void textsThatHaveNothingElseStay() {
    List<String> one = List.of("### Response: a");
    assertThat(Questions.distinctParts(one)).isEqualTo(one);
    List<String> nested = List.of("which kind", "which kind is it");
    assertThat(Questions.distinctParts(nested)).isEqualTo(nested);
  }

  @Test
  void theEndOfALongQuestionIsShown() {
    assertThat(Questions.shortened("one  two\nthree", 20)).isEqualTo("one two three");
    assertThat(Questions.shortened("one two three", 6)).isEqualTo("…three");
  }
}
