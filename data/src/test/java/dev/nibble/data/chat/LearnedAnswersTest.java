package dev.nibble.data.chat;

import static dev.nibble.data.chat.TestTemplates.TALK;
import static dev.nibble.data.chat.TestTemplates.call;
import static dev.nibble.data.chat.TestTemplates.inline;
import static dev.nibble.data.chat.TestTemplates.template;
import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.data.Golden;
import dev.nibble.jinja.JinjaException;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Values;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What is learned of an answer is what generation has to write: all that follows its prompt, up to
 * where it stops. What a row says beyond that is reported.
 */
class LearnedAnswersTest {
  private static final String THOUGHT = "<think>\nadd\n</think>\n\n";

  static List<Arguments> headers() {
    return List.of(
        Arguments.of("<s>", "<|start_header_id|>ROLE<|end_header_id|>\n\n", "<|eot_id|>"),
        Arguments.of("<s>", "<|START_OF_TURN_TOKEN|><|ROLE|>", "<|END_OF_TURN_TOKEN|>"),
        Arguments.of("", "<|im_start|>ROLE\n", "<|im_end|>\n"),
        Arguments.of("A talk.\n\n", "### ROLE:\n", "\n\n"),
        Arguments.of("A talk.\n", "[ROLE] ", "</s>\n"),
        Arguments.of("<s>", "<turn>ROLE\n", "<end><stop>\n"));
  }

  /**
   * The original template of Llama 3, Command-A's and Hammer's write the next answer's header
   * whether asked or not. Generation is prompted with it.
   */
  @ParameterizedTest
  @MethodSource("headers")
  void aHeaderThatIsAlwaysWrittenIsNotLearned(String start, String header, String end) {
    String asked = header.replace("ROLE", "assistant");
    ChatTemplate template =
        inline(
            written(start)
                + "{% for m in messages %}"
                + written(header).replace("ROLE", "' + m.role + '")
                + "{{ m.content }}"
                + written(end)
                + "{% endfor %}"
                + written(asked));
    SupervisedText learned = SupervisedText.of(template, TALK, Supervision.STANDARD);
    assertThat(learned.text()).endsWith("Second." + end + asked);
    assertThat(learned.parts()).containsExactly("First é" + end, "Second." + end);
    assertThat(learned.shortfalls()).isEmpty();
    assertThat(template.endOfTurn()).isEqualTo(end);
    Supervision users = new Supervision(Set.of("user"), false, "weight", false);
    assertThat(SupervisedText.of(template, TALK, users).parts())
        .containsExactly("one 👋" + end, "two" + end);
  }

  /** What generation is not prompted with, it has to write, and so it is learned. */
  @Test
  void aHeaderThatIsNeverAskedForIsLearned() {
    String chatml =
        "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}";
    assertThat(SupervisedText.of(inline(chatml), TALK, Supervision.STANDARD).parts())
        .containsExactly(
            "<|im_start|>assistant\nFirst é<|im_end|>\n",
            "<|im_start|>assistant\nSecond.<|im_end|>\n");
  }

  @Test
  void knowsWhetherTheEndOfAnAnswerIsLearned() throws IOException {
    String marked =
        "{% for m in messages %}<{{ m.role }}>{% generation %}{{ m.content }}END{% endgeneration %}|{% endfor %}";
    assertThat(inline(marked.replace("END", "<e>")).learnsEndOfTurn()).isTrue();
    assertThat(inline(marked.replace("END", "").replace("|", "<e>|")).learnsEndOfTurn()).isFalse();
    for (String name :
        List.of("chatml.jinja", "llama3_training.jinja", "qwen2_5_training.jinja", "phi3.jinja")) {
      assertThat(template(name).learnsEndOfTurn()).as(name).isTrue();
    }
  }

  /** Llama 3.1's calls of built-in tools end so. */
  @Test
  void theEndOfATurnOfCallsIsLearnedAndKnown() throws IOException {
    String source =
        """
        {%- for m in messages %}<|h|>{{ m.role }}
        {%- if m.tool_calls %}{% for c in m.tool_calls %}{{ c.function.name }}{{ c.function.arguments | tojson }}<|call|>{% endfor %}<|eom_id|>
        {%- else %}{{ m.content }}<|eot_id|>{% endif %}{% endfor %}
        {%- if add_generation_prompt %}<|h|>assistant{% endif %}\
        """;
    Conversation talk =
        new Conversation(
            List.of(
                Conversation.message("user", "?"),
                Conversation.message("assistant", "").with("tool_calls", call()),
                Conversation.message("tool", "21"),
                Conversation.message("assistant", "21 degrees")),
            Optional.empty());
    List<String> parts = SupervisedText.of(inline(source), talk, Supervision.STANDARD).parts();
    assertThat(parts).hasSize(2);
    assertThat(parts.getFirst()).startsWith("f{").endsWith("}<|call|><|eom_id|>");
    assertThat(parts.getLast()).isEqualTo("21 degrees<|eot_id|>");
    CallEnd end = inline(source).endOfCalls().orElseThrow();
    assertThat(end.within()).contains("<|call|>").doesNotContain("<|eom_id|>");
    assertThat(end.behind()).endsWith("<|call|><|eom_id|>");

    String single =
        source.replace(
            "{% for c", "{% if m.tool_calls[1] %}{{ raise_exception('one') }}{% endif %}{% for c");
    assertThat(inline(single).endOfCalls()).as("one call a turn").isPresent();
    String withTools = source.replace("if m.tool_calls %}", "if m.tool_calls and tools %}");
    assertThat(inline(withTools).endOfCalls()).as("calls where there are tools").isPresent();
    assertThat(inline(source.replace("eom", "eot")).endOfCalls()).as("the usual end").isEmpty();
    assertThat(inline(source.replace("tool_calls", "no_calls")).endOfCalls()).isEmpty();
    for (String name : List.of("chatml.jinja", "llama3_1.jinja", "qwen2_5.jinja", "phi3.jinja")) {
      assertThat(template(name).endOfCalls()).as(name).isEmpty();
    }
  }

  /** Generation with thinking off is prompted with an empty block, which these answers lack. */
  @Test
  void answersThatDoNotFollowThePromptAreLearnedFromWhereTheyDiffer() throws IOException {
    Conversation thinking =
        new Conversation(
            List.of(
                Conversation.message("user", "2+2?"),
                Conversation.message("assistant", THOUGHT + "4")),
            Optional.empty());
    SupervisedText off =
        SupervisedText.of(
            template("qwen3.jinja", Map.of("enable_thinking", Value.FALSE)),
            thinking,
            Supervision.STANDARD);
    assertThat(off.text()).endsWith("assistant\n" + THOUGHT + "4<|im_end|>\n");
    assertThat(off.parts()).containsExactly("add\n</think>\n\n4<|im_end|>\n");
    assertThat(off.shortfalls()).containsExactly(Shortfall.PROMPT);

    SupervisedText on = SupervisedText.of(template("qwen3.jinja"), thinking, Supervision.STANDARD);
    assertThat(on.parts()).containsExactly(THOUGHT + "4<|im_end|>\n");
    assertThat(on.shortfalls()).isEmpty();
  }

  /** The prompt opens a block for thinking, and the template drops what answers have in it. */
  @Test
  void saysWhatOfAnAnswerTheTemplateDrops() {
    ChatTemplate dropping =
        inline(
            "{% for m in messages %}<{{ m.role }}>\n{{ m.content.split('</think>')[-1] }}<end>\n{% endfor %}"
                + "{% if add_generation_prompt %}<assistant>\n<think>\n{% endif %}");
    Conversation thinking = TALK.with(3, Conversation.message("assistant", THOUGHT + "4"));
    SupervisedText learned = SupervisedText.of(dropping, thinking, Supervision.STANDARD);
    assertThat(learned.parts()).containsExactly("First é<end>\n", "\n\n4<end>\n");
    assertThat(learned.shortfalls())
        .containsExactlyInAnyOrder(Shortfall.THINKING, Shortfall.PROMPT);

    ChatTemplate deaf =
        inline(
            "{% for m in messages %}<{{ m.role }}>{{ m.content | truncate(3, true, '', 0) }}<end>{% endfor %}"
                + "{% if add_generation_prompt %}<assistant>{% endif %}");
    Conversation calls =
        new Conversation(
            List.of(
                Conversation.message("user", "?"),
                Conversation.message("assistant", "a long answer").with("tool_calls", call())),
            Optional.empty());
    learned = SupervisedText.of(deaf, calls, Supervision.STANDARD);
    assertThat(learned.parts()).containsExactly("a l<end>");
    assertThat(learned.shortfalls()).containsExactlyInAnyOrder(Shortfall.TEXT, Shortfall.CALLS);
  }

  /** Qwen3 drops earlier thinking; where there was nothing else, an empty turn is left. */
  @Test
  void answersOfWhichNothingIsLeftAreNotLearned() throws IOException {
    for (String said : List.of(THOUGHT, "", " ")) {
      Conversation empty = TALK.with(1, Conversation.message("assistant", said));
      SupervisedText learned =
          SupervisedText.of(template("qwen3.jinja"), empty, Supervision.STANDARD);
      assertThat(learned.parts())
          .as(said)
          .containsExactly("<think>\n\n</think>\n\nSecond.<|im_end|>\n");
      assertThat(learned.shortfalls()).as(said).contains(Shortfall.EMPTY);
      Supervision askedFor = new Supervision(Set.of("assistant"), false, "weight", true);
      SupervisedText all = SupervisedText.of(template("qwen3.jinja"), empty, askedFor);
      assertThat(all.parts()).as(said).hasSize(said.isBlank() ? 2 : 1);
    }
    Conversation last = TALK.with(3, Conversation.message("assistant", THOUGHT));
    SupervisedText learned = SupervisedText.of(template("qwen3.jinja"), last, Supervision.STANDARD);
    assertThat(learned.parts()).containsExactly("First é<|im_end|>\n", THOUGHT + "<|im_end|>\n");
    assertThat(learned.shortfalls()).isEmpty();
  }

  /** As in Llama 3.1, where a model waits for a tool's answer otherwise than for a person's. */
  @Test
  void aTurnThatEndsInACallHasItsOwnEnd() {
    String source =
        "{% for m in messages %}<{{ m.role }}>{% if m.tool_calls %}CALL {{ m.tool_calls[0].function.name }}<|eom|>"
            + "{% else %}{{ m.content }}<|eot|>{% endif %}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";
    Dict question = Conversation.message("user", "?");
    Dict calling = Conversation.message("assistant", "").with("tool_calls", call());
    Dict tool = Conversation.message("tool", "3");
    Dict answer = Conversation.message("assistant", "3 m");
    List<Dict> twice = List.of(question, calling, tool, answer, question, calling);
    assertThat(learned(source, twice))
        .containsExactly("CALL f<|eom|>", "3 m<|eot|>", "CALL f<|eom|>");
    assertThat(learned(source, List.of(question, calling, tool, calling, tool, answer)))
        .containsExactly("CALL f<|eom|>", "CALL f<|eom|>", "3 m<|eot|>");
    assertThat(learned(source, List.of(question, calling))).containsExactly("CALL f<|eom|>");
  }

  private static List<String> learned(String template, List<Dict> messages) {
    Conversation conversation = new Conversation(messages, Optional.empty());
    SupervisedText learned =
        SupervisedText.of(inline(template), conversation, Supervision.STANDARD);
    assertThat(learned.shortfalls()).isEmpty();
    return learned.parts();
  }

  /** A template that marks answers itself marks the end of an empty one, too. */
  @Test
  void emptyAnswersThatATemplateMarksAreNotLearned() {
    ChatTemplate shipped =
        ChatTemplates.find(
            Path.of("nowhere"),
            new TemplateChoice.Shipped("chatml"),
            Map.of(),
            LocalDateTime.of(2026, 1, 1, 0, 0));
    for (String said : List.of("", " \n")) {
      Conversation empty = TALK.with(1, Conversation.message("assistant", said));
      SupervisedText learned = SupervisedText.of(shipped, empty, Supervision.STANDARD);
      assertThat(learned.parts()).as(said).containsExactly("Second.<|im_end|>");
      assertThat(learned.shortfalls()).as(said).containsExactly(Shortfall.EMPTY);
      Supervision askedFor = new Supervision(Set.of("assistant"), false, "weight", true);
      SupervisedText all = SupervisedText.of(shipped, empty, askedFor);
      assertThat(all.parts()).as(said).hasSize(2);
      assertThat(all.shortfalls()).as(said).isEmpty();
    }
  }

  /** The header's block for thinking is written, the call is not: learning the rest is silence. */
  @Test
  void answersWhoseCallsAreDroppedAreNotLearned() {
    ChatTemplate open =
        inline(
            "{% for m in messages %}<{{ m.role }}>\n{% if m.role == 'assistant' %}<think>\n\n</think>\n\n{% endif %}{{ m.content }}<end>\n{% endfor %}"
                + "{% if add_generation_prompt %}<assistant>\n<think>\n\n{% endif %}");
    Conversation calls =
        new Conversation(
            List.of(
                Conversation.message("user", "?"),
                Conversation.message("assistant", "").with("tool_calls", call()),
                Conversation.message("tool", "3"),
                Conversation.message("assistant", "3 m")),
            Optional.empty());
    SupervisedText learned = SupervisedText.of(open, calls, Supervision.STANDARD);
    assertThat(learned.parts()).containsExactly("</think>\n\n3 m<end>\n");
    assertThat(learned.shortfalls()).containsExactlyInAnyOrder(Shortfall.EMPTY, Shortfall.CALLS);
  }

  /** Thinking before a tool call is kept until the next question, and the call always. */
  @Test
  void findsToolCallsAfterThinking() throws IOException {
    String call =
        "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": 1}}\n</tool_call><|im_end|>\n";
    List<Dict> messages =
        List.of(
            Conversation.message("user", "?"),
            Conversation.message("assistant", THOUGHT).with("tool_calls", call()),
            Conversation.message("tool", "3"),
            Conversation.message("assistant", "3 m"));
    ChatTemplate qwen = template("qwen3.jinja");
    assertThat(
            SupervisedText.of(
                    qwen, new Conversation(messages, Optional.empty()), Supervision.STANDARD)
                .parts())
        .containsExactly(THOUGHT + call, "<think>\n\n</think>\n\n3 m<|im_end|>\n");
    List<Dict> more = new ArrayList<>(messages);
    more.add(Conversation.message("user", "thanks"));
    more.add(Conversation.message("assistant", "bye"));
    SupervisedText learned =
        SupervisedText.of(qwen, new Conversation(more, Optional.empty()), Supervision.STANDARD);
    assertThat(learned.parts())
        .containsExactly(call, "3 m<|im_end|>\n", "<think>\n\n</think>\n\nbye<|im_end|>\n");
    assertThat(learned.shortfalls()).containsExactly(Shortfall.THINKING);
  }

  /**
   * For every template of a real model: after its prompt, generation has to write what is learned,
   * and then has come to where the rendering up to the answer ends.
   */
  @Test
  void whatIsLearnedIsWhatGenerationWritesWithEveryTemplate() throws IOException {
    int checked = 0;
    for (String name : Objects.requireNonNull(Golden.path("templates").toFile().list())) {
      if (!name.endsWith(".jinja") || template(name).of(TALK).marksGeneration()) {
        continue;
      }
      for (Conversation talk : talks()) {
        checked += check(name, template(name), talk);
      }
    }
    assertThat(checked).isGreaterThan(90);
  }

  private static List<Conversation> talks() {
    List<Conversation> talks = new ArrayList<>(List.of(TALK));
    Dict system = Conversation.message("system", "S");
    for (String answer : List.of("First é", THOUGHT + "4", " padded\n", "a\n\nb")) {
      List<Dict> messages = new ArrayList<>(TALK.messages());
      messages.set(1, Conversation.message("assistant", answer));
      messages.set(3, Conversation.message("assistant", answer));
      talks.add(new Conversation(messages, Optional.empty()));
      messages.addFirst(system);
      talks.add(new Conversation(messages, Optional.empty()));
    }
    Dict call =
        Conversation.message("assistant", "")
            .with("tool_calls", call())
            .with("reasoning_content", Values.of("look"));
    List<Dict> calls = new ArrayList<>(TALK.messages());
    calls.add(Conversation.message("user", "weather?"));
    calls.add(call);
    calls.add(Conversation.message("tool", "21"));
    calls.add(Conversation.message("assistant", "21 degrees"));
    talks.add(new Conversation(calls, Optional.empty()));
    return talks;
  }

  private static int check(String name, ChatTemplate template, Conversation talk) {
    SupervisedText learned;
    try {
      learned = SupervisedText.of(template, talk, Supervision.STANDARD);
    } catch (JinjaException e) {
      return 0; // the template refuses this conversation
    }
    int checked = 0;
    String text = learned.text();
    for (int i = 0; i < learned.spans().size(); i++) {
      int start = text.offsetByCodePoints(0, learned.spans().get(i).start());
      String part = learned.parts().get(i);
      String stop = template.endOfTurn().strip().lines().findFirst().orElse("");
      assertThat(part).as("%s learns to stop", name).contains(stop);
      for (int n = 0; n < talk.messages().size(); n++) {
        String prompt = prompt(template, talk.first(n));
        if (talk.role(n).equals("assistant") && prompt.equals(text.substring(0, start))) {
          String upTo = template.render(talk.first(n + 1), false).text();
          assertThat(upTo).as("%s, message %d", name, n + 1).startsWith(prompt);
          if (text.startsWith(upTo)) {
            assertThat(prompt + part).as("%s, message %d", name, n + 1).isEqualTo(upTo);
          }
          checked++;
        }
      }
    }
    return checked;
  }

  private static String prompt(ChatTemplate template, Conversation asked) {
    try {
      return template.render(asked, true).text();
    } catch (JinjaException e) {
      return "";
    }
  }

  /** A template that writes this text. */
  private static String written(String text) {
    return "{{ '" + text.replace("\n", "\\n") + "' }}";
  }
}
