package dev.nibble.data.chat;

import static dev.nibble.data.chat.TestTemplates.TALK;
import static dev.nibble.data.chat.TestTemplates.call;
import static dev.nibble.data.chat.TestTemplates.inline;
import static dev.nibble.data.chat.TestTemplates.template;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.Golden;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Values;
import java.io.IOException;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is learned of a conversation, with templates that mark it and with those that do not. */
class SupervisedTextTest {
  @ParameterizedTest
  @CsvSource({
    "gemma.jinja, gemma_training.jinja",
    "llama3.jinja, llama3_training.jinja",
    "qwen2_5.jinja, qwen2_5_training.jinja"
  })
  void turnsOfATemplateAreWhatItsTrainingVariantMarks(String plain, String marked)
      throws IOException {
    SupervisedText found = SupervisedText.of(template(plain), TALK, Supervision.STANDARD);
    SupervisedText expected = SupervisedText.of(template(marked), TALK, Supervision.STANDARD);
    assertThat(found.text()).isEqualTo(expected.text());
    // Qwen's training variant counts the line break after the role, which is part of the prompt.
    assertThat(found.parts())
        .isEqualTo(expected.parts().stream().map(String::stripLeading).toList());
  }

  @ParameterizedTest
  @CsvSource({
    "alpaca.jinja, 'First é</s>|Second.</s>'",
    "chatml.jinja, 'First é<|im_end|>\n|Second.<|im_end|>\n'",
    "gemma3.jinja, 'First é<end_of_turn>\n|Second.<end_of_turn>\n'",
    "llama3_1.jinja, 'First é<|eot_id|>|Second.<|eot_id|>'",
    "mistral_v1.jinja, ' First é</s>| Second.</s>'",
    "mistral_v2v3.jinja, ' First é</s>| Second.</s>'",
    "mistral_v7_tekken.jinja, 'First é</s>|Second.</s>'",
    "phi3.jinja, 'First é<|end|>\n|Second.<|end|>\n</s>'",
    "qwen3_instruct_2507.jinja, 'First é<|im_end|>\n|Second.<|im_end|>\n'",
    "qwen3.jinja, 'First é<|im_end|>\n|<think>\n\n</think>\n\nSecond.<|im_end|>\n'"
  })
  void everyTurnEndsWithWhatTheTemplateWritesAfterIt(String name, String expected)
      throws IOException {
    SupervisedText learned = SupervisedText.of(template(name), TALK, Supervision.STANDARD);
    assertThat(String.join("|", learned.parts())).isEqualTo(expected);
  }

  /** Qwen3 drops the thinking of earlier turns: what is left of them is learned. */
  @Test
  void findsTurnsThatTheTemplateRewrites() throws IOException {
    Conversation thinking =
        TALK.with(1, Conversation.message("assistant", "<think>\nhm\n</think>\n\nFirst"));
    SupervisedText learned =
        SupervisedText.of(template("qwen3.jinja"), thinking, Supervision.STANDARD);
    assertThat(learned.text()).doesNotContain("hm");
    assertThat(learned.parts())
        .containsExactly("First<|im_end|>\n", "<think>\n\n</think>\n\nSecond.<|im_end|>\n");
    assertThat(learned.text()).contains("assistant\nFirst<|im_end|>");
  }

  /** The system prompt moves with the last question, so no prefix fits. */
  @Test
  void findsTurnsAfterAMovedSystemPrompt() throws IOException {
    List<Dict> messages = new ArrayList<>(List.of(Conversation.message("system", "S")));
    messages.addAll(TALK.messages());
    SupervisedText learned =
        SupervisedText.of(
            template("mistral_v2v3.jinja"),
            new Conversation(messages, Optional.empty()),
            Supervision.STANDARD);
    assertThat(learned.parts()).containsExactly("First é</s>", "Second.</s>");
  }

  @Test
  void findsToolCallsWithoutText() throws IOException {
    Conversation calls =
        new Conversation(
            List.of(
                Conversation.message("user", "weather?"),
                Conversation.message("assistant", "").with("tool_calls", call()),
                Conversation.message("tool", "21"),
                Conversation.message("assistant", "21 degrees")),
            Optional.empty());
    String call =
        "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": 1}}\n</tool_call><|im_end|>\n";
    assertThat(SupervisedText.of(template("qwen3.jinja"), calls, Supervision.STANDARD).parts())
        .containsExactly(call, "<think>\n\n</think>\n\n21 degrees<|im_end|>\n");
    assertThat(
            SupervisedText.of(template("qwen2_5_training.jinja"), calls, Supervision.STANDARD)
                .parts())
        .containsExactly("\n" + call, "\n21 degrees<|im_end|>\n");
  }

  @Test
  void learnsWhatIsAskedFor() throws IOException {
    Supervision lastOnly = new Supervision(Set.of("assistant"), true, "weight", false);
    Supervision users = new Supervision(Set.of("user"), false, "weight", false);
    Conversation weighted = TALK.with(1, TALK.messages().get(1).with("weight", Values.of(0)));
    for (String name : List.of("llama3.jinja", "llama3_training.jinja")) {
      ChatTemplate template = template(name);
      assertThat(SupervisedText.of(template, TALK, lastOnly).parts())
          .containsExactly("Second.<|eot_id|>");
      assertThat(SupervisedText.of(template, weighted, Supervision.STANDARD).parts())
          .containsExactly("Second.<|eot_id|>");
    }
    assertThat(SupervisedText.of(template("llama3.jinja"), TALK, users).parts())
        .containsExactly("one 👋<|eot_id|>", "two<|eot_id|>");
    assertThatThrownBy(() -> SupervisedText.of(template("llama3_training.jinja"), TALK, users))
        .hasMessageContaining("assistant's messages alone");
    Conversation halves = TALK.with(1, TALK.messages().get(1).with("weight", Values.of(0.5)));
    assertThatThrownBy(
            () -> SupervisedText.of(template("llama3.jinja"), halves, Supervision.STANDARD))
        .hasMessageContaining("'weight' of message 2");
  }

  @Test
  void refusesWhatIsNotCertain() {
    String backwards =
        "{% for m in messages[::-1] %}[{{ m.role }}]{{ m.content }}.\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";
    assertThatThrownBy(() ->
            SupervisedText.of(
                inline(backwards.replace("m.content", "m.content | length")),
                TALK,
                Supervision.STANDARD))
        .isInstanceOf(InvalidConversation.class)
        .hasMessageContaining("message 2")
        .hasMessageContaining("not certain");
    assertThatThrownBy(() -> SupervisedText.of(inline(backwards), TALK, Supervision.STANDARD))
        .isInstanceOf(InvalidConversation.class)
        .hasMessageContaining("overlap");
  }

  @Test
  void theShippedTemplateMarksAnswers() {
    ChatTemplate chatml =
        ChatTemplates.find(
            Golden.path("tokenizers", "qwen_like"),
            new TemplateChoice.Shipped("chatml"),
            Map.of(),
            LocalDateTime.of(2026, 1, 1, 0, 0));
    SupervisedText learned = SupervisedText.of(chatml, TALK, Supervision.STANDARD);
    assertThat(learned.text())
        .startsWith(
            "<|im_start|>user\none 👋<|im_end|>\n<|im_start|>assistant\nFirst é<|im_end|>\n");
    assertThat(learned.parts()).containsExactly("First é<|im_end|>", "Second.<|im_end|>");
    assertThat(chatml.endOfTurn()).isEqualTo("<|im_end|>\n");
  }
}
