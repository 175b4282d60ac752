package dev.nibble.api.runs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.chat.InvalidChatTemplate;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.recipes.recipe.Recipe;
import dev.nibble.recipes.recipe.Recipes;
import dev.nibble.trainer.generate.Sampler;
import dev.nibble.trainer.train.Outcome;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Conversations from the recipe to what is learned, trained, measured and generated. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ChatRunTest {
  private static final String TEMPLATE =
      "{% for m in messages %}{{ m.role + '\\\\n' + m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{{ '\\\\n' }}"
          + "{% endfor %}{% if add_generation_prompt %}{{ 'assistant\\\\n' }}{% endif %}";

  private Path folder = Path.of("");
  private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
  private final Output console =
      new PlainOutput(new PrintStream(shown, true, StandardCharsets.UTF_8));

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

  private String previewed(boolean tokens, String... sets) {
    shown.reset();
    new Preview(recipe(sets), console).show(1, tokens);
    return shown.toString(StandardCharsets.UTF_8);
  }

  @Test
  void everyKindOfRowBecomesTheSameConversation() throws IOException {
    String expected = "user\nstar 0\nassistant\n[[animal<|endoftext|>\n]]";
    assertThat(previewed(false))
        .contains(expected, "the given chat template; an answer ends with <|endoftext|>");
    assertThat(
            previewed(
                false,
                "datasets.0.path=" + folder.resolve("sharegpt.jsonl"),
                "datasets.0.type=sharegpt"))
        .contains(expected);
    Files.writeString(
        folder.resolve("alpaca.jsonl"),
        "{\"instruction\": \"star\", \"input\": \"0\", \"output\": \"animal\"}\n");
    assertThat(
            previewed(
                false,
                "datasets.0.path=" + folder.resolve("alpaca.jsonl"),
                "datasets.0.type=alpaca",
                "datasets.0.prompt=\"{instruction} {input}\""))
        .contains(expected);
  }

  @Test
  void showsEachToken() {
    assertThat(previewed(true))
        .containsPattern("\\d+ +\\d+ {11}'user'|\\d+ +\\d+ {11}'us'")
        .containsPattern("\\d+ +0  learned  '<\\|endoftext\\|>'");
  }

  @Test
  void trainsMeasuresAndGenerates() {
    assertThat(
            new TrainRun(recipe(), console, report -> {}, StopSignals.NEVER)
                .run(new ExistingRunPolicy.Anew()))
        .isInstanceOf(Outcome.Finished.class);
    shown.reset();
    new GenerateRun(new RunSubject(recipe(), Optional.of(folder.resolve("out"))), console)
        .run(
            new GenerateRun.Request(
                new GenerateRun.Prompt.AsRow("", "star 3"), 2, new Sampler.Greedy(), 0));
    assertThat(shown.toString(StandardCharsets.UTF_8)).isNotNull();
  }

  @Test
  void refusesDataWithNothingToLearn() {
    assertThatThrownBy(() -> previewed(false, "datasets.0.roles_to_train=[tool]"))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("no token of any row would be trained on")
        .hasMessageContaining("a role among [tool]");
  }

  @Test
  void namesWhatIsMissing() {
    assertThatThrownBy(() -> previewed(false, "chat_template_jinja="))
        .isInstanceOf(InvalidChatTemplate.class)
        .hasMessageContaining("has no chat template")
        .hasMessageContaining("give a shipped template");
    assertThatThrownBy(() -> previewed(false, "chat_template_jinja='{{ nope(1) }'"))
        .isInstanceOf(InvalidChatTemplate.class)
        .hasMessageContaining("line 1, column");
    assertThatThrownBy(
            () -> previewed(false, "chat_template_jinja=\"{{ raise_exception('no') }}\""))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("row 1: the chat template refuses it")
        .hasMessageContaining("column 19: no.");
    assertThat(previewed(false, "chat_template_jinja=", "chat_template=chatml", "sequence_len=128"))
        .contains("[[animal<|im_end|>]]", "holds no special token of the tokenizer");
  }

  @Test
  void warnsOfAPromptThatEndsInASpace() {
    assertThat(
            previewed(
                false,
                "datasets.0.path=" + folder.resolve("rows.jsonl"),
                "datasets.0.type=alpaca",
                "datasets.0.prompt=\"{input} \"",
                "chat_template_jinja=",
                "answer_eval="))
        .contains("datasets.0.prompt ends in a space");
  }
}
