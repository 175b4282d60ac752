package dev.nibble.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.api.event.Event;
import dev.nibble.api.wiring.EndOfTurn;
import dev.nibble.api.wiring.Wiring;
import dev.nibble.data.chat.InvalidChatTemplate;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.tokenizer.Tokenizer;
import dev.nibble.errors.Fault;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.train.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Conversations from the recipe to training, measurement and generation. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ChatRunTest {
  private static final String TEMPLATE =
      "{% for m in messages %}{{ m.role + '\\\\n' + m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{{ '\\\\n' }}"
          + "{% endfor %}{% if add_generation_prompt %}{{ 'assistant\\\\n' }}{% endif %}";

  private Path folder = Path.of("");

  @BeforeAll
  void writeRows(@TempDir Path temp) throws IOException {
    folder = temp;
    TinyRun.in(folder);
    StringBuilder messages = new StringBuilder();
    StringBuilder sharegpt = new StringBuilder();
    for (int i = 0; i < 12; i++) {
      messages.append(
          "{\"messages\": [{\"role\": \"user\", \"content\": \"star %d\"}, {\"role\": \"assistant\", \"content\": \"animal\"}]}%n"
              .formatted(i));
      sharegpt.append(
          "{\"conversations\": [{\"from\": \"human\", \"value\": \"star %d\"}, {\"from\": \"gpt\", \"value\": \"animal\"}]}%n"
              .formatted(i));
    }
    Files.writeString(folder.resolve("messages.jsonl"), messages);
    Files.writeString(folder.resolve("sharegpt.jsonl"), sharegpt);
    Files.writeString(
        folder.resolve("chat.yaml"),
        """
        base_model: base
        adapter: none
        init_weights: random
        datasets: [{path: messages.jsonl, type: messages}]
        chat_template_jinja: "%s"
        answer_eval: {path: messages.jsonl, type: messages, max_new_tokens: 2, limit: 4}
        sequence_len: 32
        micro_batch_size: 2
        max_steps: 2
        gradient_checkpointing: false
        output_dir: %s
        """
            .formatted(TEMPLATE, folder.resolve("out")));
  }

  private Recipe recipe(String... sets) {
    return Recipes.read(folder.resolve("chat.yaml"), List.of(sets));
  }

  /** The first row's text with what is trained on in brackets, and the events. */
  private String previewed(String... sets) {
    StringBuilder s = new StringBuilder();
    Nibble.reportingTo(s::append).preview(recipe(sets)).read(1, row -> mark(row, s));
    return s.toString();
  }

  private static void mark(PreviewedRow row, StringBuilder s) {
    if (row instanceof PreviewedRow.Sample sample) {
      for (PreviewedRow.Part part : sample.text()) {
        s.append(part.supervised() ? "[[" + part.text() + "]]" : part.text());
      }
    }
  }

  @Test
  void everyKindOfRowBecomesTheSameConversation() throws IOException {
    String expected = "user\nstar 0\nassistant\n[[animal<|endoftext|>\n]]";
    assertThat(previewed())
        .contains(expected, "the given chat template", "stopToken=Optional[<|endoftext|>]");
    assertThat(
            previewed(
                "datasets.0.path=" + folder.resolve("sharegpt.jsonl"), "datasets.0.type=sharegpt"))
        .contains(expected);
    Files.writeString(
        folder.resolve("alpaca.jsonl"),
        "{\"instruction\": \"star\", \"input\": \"0\", \"output\": \"animal\"}\n");
    assertThat(
            previewed(
                "datasets.0.path=" + folder.resolve("alpaca.jsonl"),
                "datasets.0.type=alpaca",
                "datasets.0.prompt=\"{instruction} {input}\""))
        .contains(expected);
  }

  /** A template may end a turn of tool calls with a token of its own, at which generation stops. */
  @Test
  void theEndOfCallsIsToldToo() {
    String template =
        TEMPLATE.replace(
            "{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}",
            "{% if m.tool_calls %}{{ m.tool_calls[0].function | tojson }}{{ eos_token }}{% elif m.role == 'assistant' %}END{% endif %}");
    String set = "chat_template_jinja=\"" + template + "\"";
    assertThat(previewed(set))
        .contains(
            "endOfAnswer=END\n, stopToken=Optional.empty, stopTokenOfCalls=Optional[<|endoftext|>]");
    Recipe recipe = recipe(set);
    try (Tokenizer tokenizer = new Wiring(recipe).tokenizer()) {
      assertThat(EndOfTurn.of(new Wiring(recipe).formats().chatTemplate(), tokenizer).ofCalls())
          .hasValue(0);
    }
  }

  @Test
  void previewsEachToken() {
    List<PreviewedRow.Token> tokens = new ArrayList<>();
    Nibble.silent()
        .preview(recipe())
        .read(1, row -> tokens.addAll(((PreviewedRow.Sample) row).tokens()));
    assertThat(tokens.getFirst().text()).startsWith("us");
    assertThat(tokens).contains(new PreviewedRow.Token(0, "<|endoftext|>", true));
  }

  @Test
  void trainsMeasuresAndChats() {
    assertThat(Nibble.silent().tuner(recipe()).train()).isInstanceOf(Outcome.Finished.class);
    Sampling sampling = Sampling.greedy().upTo(2);
    try (Model model = Nibble.silent().open(ModelSource.tuned(recipe()))) {
      assertThat(model.answerAccuracy().orElseThrow().total()).isEqualTo(4);
      model.generate(new Prompt.Row("", "star 3"), sampling);

      Chat chat = model.chat(Optional.of("Be brief."), sampling);
      List<String> parts = new ArrayList<>();
      String answer = chat.ask("star 3", parts::add);
      assertThat(String.join("", parts)).isEqualTo(answer);
      assertThat(chat.history())
          .containsExactly(
              new Chat.Message("system", "Be brief."),
              new Chat.Message("user", "star 3"),
              new Chat.Message("assistant", answer));
      // The text that the template makes of the conversation, continued as plain text.
      String prompt = "system\nBe brief.\nuser\nstar 3\nassistant\n";
      assertThat(model.generate(new Prompt.Text(prompt), sampling)).isEqualTo(answer);

      assertThatThrownBy(() -> chat.ask("star ".repeat(1000)))
          .isInstanceOf(ConversationTooLong.class)
          .hasMessageContaining("the model takes 128");
      assertThat(chat.history()).hasSize(3);
      // The second answer goes on from what the first has computed.
      String second = chat.ask("star 4");
      String whole = prompt + answer + "<|endoftext|>\nuser\nstar 4\nassistant\n";
      assertThat(model.generate(new Prompt.Text(whole), sampling)).isEqualTo(second);
      chat.clear();
      assertThat(chat.history()).containsExactly(new Chat.Message("system", "Be brief."));
      assertThat(chat.ask("star 3")).isEqualTo(answer);
      chat.clear();
      Answer stopped = chat.ask("star 3", part -> {}, () -> true);
      assertThat(stopped.ending()).isEqualTo(Answer.Ending.STOPPED);
      assertThat(stopped.tokens()).isEqualTo(1);
      assertThat(chat.history().getLast().text()).isEqualTo(stopped.text());
      assertThat(chat.giveResult("5 kg", part -> {}, () -> false).tokens()).isLessThanOrEqualTo(2);
      assertThat(chat.row())
          .startsWith("{\"messages\": [{\"role\": \"system\", \"content\": \"Be brief.\"}, ")
          .contains("{\"role\": \"tool\", \"content\": \"5 kg\"}");
      assertThatThrownBy(() -> chat.withAdapter(false))
          .isInstanceOf(NoBaseModel.class)
          .hasMessageContaining("this model has no adapter");
      chat.system(Optional.of("Be brief."));
      chat.clear();
      chat.ask("star 3");
      chat.close(); // its memory; the conversation goes on
      assertThat(chat.ask("star 4")).isEqualTo(second);
    }
  }

  @Test
  void aChatThatTheTemplateRefusesIsAnErrorOfTheUsers() {
    String alone =
        "chat_template_jinja=\"{% if messages[1] is defined %}{{ raise_exception('one at a time') }}{% endif %}{{ messages[0].content }}\"";
    Recipe recipe = recipe(alone, "output_dir=" + folder.resolve("alone"), "answer_eval=");
    Nibble.silent().tuner(recipe("output_dir=" + folder.resolve("alone"), "answer_eval=")).train();
    try (Model model = Nibble.silent().open(ModelSource.tuned(recipe))) {
      Chat chat = model.chat(Optional.of("Be brief."), Sampling.greedy().upTo(2));
      assertThatThrownBy(() -> chat.ask("star 3"))
          .isInstanceOfSatisfying(
              InvalidChatTemplate.class, e -> assertThat(e.fault()).isEqualTo(Fault.USER))
          .hasMessage(
              "the chat template refuses the conversation: the given chat template, line 1, column 50: one at a time");
      assertThat(chat.history()).hasSize(1);
    }
  }

  @Test
  void previewsBadRowsThatARunLeavesOut() throws IOException {
    Path file = folder.resolve("bad.jsonl");
    String good = Files.readAllLines(folder.resolve("messages.jsonl")).getFirst();
    Files.writeString(file, good + "\n{\"messages\": 5}\n{\"messages\": [}\n" + good + "\n");
    String path = "datasets.0.path=" + file;
    List<PreviewedRow> rows = new ArrayList<>();
    List<Event> events = new ArrayList<>();
    Nibble.reportingTo(events::add).preview(recipe(path, "max_bad_rows=2")).read(9, rows::add);
    assertThat(rows)
        .hasSize(4)
        .contains(
            new PreviewedRow.Bad(
                file,
                2,
                file + ", row 2: column 'messages' should hold a list, but holds a number."));
    assertThat(rows.get(2))
        .isInstanceOfSatisfying(
            PreviewedRow.Bad.class, bad -> assertThat(bad.problem()).contains("not valid JSON"));
    assertThat(rows.getLast()).isInstanceOf(PreviewedRow.Sample.class);
    assertThat(events)
        .filteredOn(Event.DataRead.class::isInstance)
        .singleElement()
        .satisfies(e -> assertThat(((Event.DataRead) e).train().bad().count()).isEqualTo(2));
    assertThatThrownBy(() -> Nibble.silent().preview(recipe(path)).read(9, row -> {}))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("row 2");
    assertThatThrownBy(
            () -> Nibble.silent().preview(recipe(path, "max_bad_rows=1")).read(9, row -> {}))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("2 of 4 rows cannot be used");
  }

  @Test
  void refusesDataWithNothingToLearn() {
    assertThatThrownBy(() -> previewed("datasets.0.roles_to_train=[tool]"))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("no token of any row would be trained on")
        .hasMessageContaining("a role among [tool]");
  }

  @Test
  void namesWhatIsMissing() {
    assertThatThrownBy(() -> previewed("chat_template_jinja="))
        .isInstanceOf(InvalidChatTemplate.class)
        .hasMessageContaining("has no chat template")
        .hasMessageContaining("give a shipped template");
    assertThatThrownBy(() -> previewed("chat_template_jinja='{{ nope(1) }'"))
        .isInstanceOf(InvalidChatTemplate.class)
        .hasMessageContaining("line 1, column");
    assertThatThrownBy(() -> previewed("chat_template_jinja=\"{{ raise_exception('no') }}\""))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("row 1: the chat template refuses it")
        .hasMessageContaining("column 19: no.");
    assertThat(previewed("chat_template_jinja=", "chat_template=chatml", "sequence_len=128"))
        .contains("[[animal<|im_end|>]]", "stopToken=Optional.empty");
  }
}
