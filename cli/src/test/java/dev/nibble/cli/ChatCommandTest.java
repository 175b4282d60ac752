package dev.nibble.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.api.TinyRun;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Conversations between pipes with a tiny model that an adapter was trained on. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ChatCommandTest {
  private static final String TEMPLATE =
      "{% if tools %}{{ 'tools ' ~ (tools | length) ~ '\\\\n' }}{% endif %}"
          + "{% for m in messages %}{{ m.role + '\\\\n' + m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{{ '\\\\n' }}"
          + "{% endfor %}{% if add_generation_prompt %}{{ 'assistant\\\\n' }}{% endif %}";
  private static final String TOOLS =
      "[{\"type\": \"function\", \"function\": {\"name\": \"weigh\", \"parameters\": {}}}]";

  private Path folder = Path.of("");

  /** What a command wrote. */
  private record Written(int exitCode, String out, String err) {}

  @BeforeAll
  void train(@TempDir Path temp) throws IOException {
    folder = temp;
    TinyRun.in(folder);
    StringBuilder rows = new StringBuilder();
    for (int i = 0; i < 12; i++) {
      rows.append(
          "{\"messages\": [{\"role\": \"user\", \"content\": \"star %d\"}, {\"role\": \"assistant\", \"content\": \"animal\"}]}%n"
              .formatted(i));
    }
    Files.writeString(folder.resolve("messages.jsonl"), rows);
    Files.writeString(
        folder.resolve("chat.yaml"),
        """
        base_model: model
        lora_r: 4
        datasets: [{path: messages.jsonl, type: messages}]
        chat_template_jinja: "%s"
        sequence_len: 64
        micro_batch_size: 2
        max_steps: 12
        learning_rate: 3e-2
        output_dir: %s
        """
            .formatted(TEMPLATE, folder.resolve("chat-out")));
    assertThat(run("", "train", at("pretrain.yaml")).exitCode()).isZero();
    assertThat(run("", "train", at("chat.yaml")).exitCode()).isZero();
  }

  private String at(String name) {
    return folder.resolve(name).toString();
  }

  private static Written run(String input, String... command) {
    PrintStream outBefore = System.out;
    InputStream inBefore = System.in;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StringWriter err = new StringWriter();
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
    System.setProperty("nibble.piped", "true");
    try {
      CommandLine commandLine = Main.commandLine();
      commandLine.setErr(new PrintWriter(err, true));
      int exitCode = commandLine.execute(command);
      return new Written(exitCode, out.toString(StandardCharsets.UTF_8), err.toString());
    } finally {
      System.setOut(outBefore);
      System.setIn(inBefore);
      System.clearProperty("nibble.piped");
    }
  }

  private Written chat(String input, String... options) {
    List<String> command =
        new ArrayList<>(List.of("chat", at("chat-out"), "--max-new-tokens", "3"));
    command.addAll(List.of(options));
    return run(input, command.toArray(String[]::new));
  }

  /** What {@code nibble generate} gives, with its line break. */
  private String generated(String place, String prompt, String... options) {
    List<String> command =
        new ArrayList<>(
            List.of("generate", at(place), "--max-new-tokens", "3", "--prompt", prompt));
    command.addAll(List.of(options));
    Written written = run("", command.toArray(String[]::new));
    assertThat(written.exitCode()).as(written.err()).isZero();
    return written.out();
  }

  private static String prompt(String question) {
    return "user\n" + question + "\nassistant\n";
  }

  @Test
  void eachLineIsAMessage() {
    String first = generated("chat-out", prompt("star 3"));
    String soFar = prompt("star 3") + first.stripTrailing() + "<|endoftext|>\n";
    String second = generated("chat-out", soFar + prompt("star 4"));
    Written written = chat("star 3\n\nstar 4");
    assertThat(written.exitCode()).as(written.err()).isZero();
    assertThat(written.out()).isEqualTo(first + second);
  }

  @Test
  void theSystemPromptComesFirst() {
    String expected = generated("chat-out", "system\nBe brief.\n" + prompt("star 3"));
    assertThat(chat("star 3\n", "--system", "Be brief.").out()).isEqualTo(expected);
    assertThat(chat("/system Be brief.\nstar 3\n").out()).isEqualTo(expected);
    assertThat(chat("/system\nstar 3\n", "--system", "Be brief.").out())
        .isEqualTo(generated("chat-out", prompt("star 3")));
  }

  /** To the bit, and back: the two modes share no keys and values. */
  @Test
  void withoutItsAdapterTheBaseAnswers() {
    String adapted = generated("chat-out", prompt("star 3"));
    String base = generated("chat.yaml", prompt("star 3"));
    assertThat(base).isNotEqualTo(adapted);
    Written written =
        chat(
            "star 3\n/reset\n/adapter off\nstar 3\n/reset\n/adapter on\nstar 3\n/reset\n/adapter off\nstar 3\n");
    assertThat(written.out()).isEqualTo(adapted + base + adapted + base);
    assertThat(written.err())
        .contains("The base model answers, without the adapter.", "The adapted model answers.");
  }

  @Test
  void settingsCanBeChanged() {
    Written written = chat("/set temperature 2\n/set seed 7\nstar 3\n/reset\n/set\nstar 3\n");
    String drawn = generated("chat-out", prompt("star 3"), "--temperature", "2", "--seed", "7");
    assertThat(written.out()).isEqualTo(drawn + drawn);
    assertThat(written.err())
        .contains("temperature 2.0, top-p 1.0, top-k 0, max-new-tokens 3, seed 7");
    assertThat(chat("/set top-p 2\n").err()).contains("/set: top-p").contains("in (0, 1], not 2.0");
    assertThat(chat("/set warmth 2\n").err())
        .contains("/set: no setting 'warmth'; expected one of temperature, top-p");
    assertThat(chat("/set seed x\n").err()).contains("/set seed: expected a number, got 'x'");
    assertThat(chat("/set seed\n").err()).contains("/set: expected NAME VALUE, got 'seed'");
  }

  @Test
  void whatIsSavedCanBeTrainedOn() throws IOException {
    Path saved = folder.resolve("saved.jsonl");
    Files.writeString(saved, Files.readAllLines(folder.resolve("messages.jsonl")).getFirst());
    Path tools = Files.writeString(folder.resolve("tools.json"), TOOLS);
    Written written =
        chat(
            "/set temperature 2\n/set seed 8\nstar \"3\"\n/save " + saved + "\n",
            "--system",
            "Be brief.",
            "--tools",
            tools.toString());
    assertThat(written.out()).isNotBlank();
    assertThat(written.err()).contains("Added a row of 3 messages to " + saved);
    assertThat(written.exitCode()).isZero();
    Written preview =
        run("", "preview", at("chat.yaml"), "-n", "2", "--set", "datasets.0.path=" + saved);
    assertThat(preview.out())
        .containsSubsequence(
            "row 2: ",
            "tools 1\nsystem\nBe brief.\nuser\nstar \"3\"\nassistant\n[["
                + written.out().stripTrailing()
                + "<|endoftext|>");
  }

  @Test
  void aTemplateWithoutAPlaceForToolsIsToldOf() throws IOException {
    Path tools = Files.writeString(folder.resolve("tools.json"), TOOLS);
    Written written =
        chat(
            "",
            "--tools",
            tools.toString(),
            "--set",
            "chat_template_jinja='{{ messages[0].content }}'");
    assertThat(written.exitCode()).isEqualTo(ExitCode.USAGE);
    assertThat(written.err())
        .startsWith("--tools: the chat template has no place for tools; remove it");
    Path bad = Files.writeString(folder.resolve("bad.json"), "{}");
    assertThat(chat("", "--tools", bad.toString()).err())
        .startsWith(bad + ": expected a list of tool schemas");
    Files.writeString(bad, "[1,\n }");
    assertThat(chat("", "--tools", bad.toString()).err()).startsWith(bad + ", line 2, column 2: ");
  }

  @Test
  void aConversationThatIsTooLongIsOneClearMessage() {
    Written written = chat("star 3\n" + "star ".repeat(200) + "\nstar 4\n");
    assertThat(written.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(written.out()).isEqualTo(generated("chat-out", prompt("star 3")));
    assertThat(written.err())
        .contains(
            " tokens with this message, and the model takes 128 with the answer. /reset starts a new conversation, and /save FILE keeps this one; or ask less\n")
        .doesNotContain("\tat ");
  }

  @Test
  void anAnswerThatIsCutIsToldOf() {
    assertThat(chat("/set max-new-tokens 2\nstar 3\n", "--temperature", "100", "--seed", "8").err())
        .endsWith("Cut at 2 tokens; /set max-new-tokens N allows more.\n");
    assertThat(
            chat(
                    "/set max-new-tokens 999\n" + "star ".repeat(30) + "\n",
                    "--temperature",
                    "100",
                    "--seed",
                    "8")
                .err())
        .endsWith(
            "Cut: the conversation has the 128 tokens that the model takes. /reset starts a new one; /save FILE keeps this one first.\n");
  }

  @Test
  void commandsThatAreNone() {
    assertThat(chat("/sav x\n").err())
        .isEqualTo("unknown command '/sav'. Did you mean '/save'? /help lists them\n");
    assertThat(chat("/save\n").err()).isEqualTo("/save: expected FILE behind it\n");
    assertThat(chat("/save " + at("x.jsonl") + "\n").err())
        .isEqualTo("/save: there is no answer yet, so there is nothing to train on\n");
    assertThat(folder.resolve("x.jsonl")).doesNotExist();
    assertThat(chat("/adapter of\n").err()).isEqualTo("/adapter: expected on or off, got 'of'\n");
  }

  @Test
  void leavesAndHelps() {
    Written written = chat("/help\n/exit\nstar 3\n");
    assertThat(written.exitCode()).isZero();
    assertThat(written.out()).isEmpty();
    assertThat(written.err()).contains("/reset ", "/adapter on|off ", "/exit ");
    assertThat(chat("//star\n").out()).isEqualTo(generated("chat-out", prompt("/star")));
  }

  @Test
  void withoutAdapterOrTemplateThereIsARemedy() {
    Written none = run("/adapter off\n", "chat", at("model"), "--set", "chat_template=chatml");
    assertThat(none.err())
        .isEqualTo("there is no base model to compare with: this model has no adapter\n");
    Written noTemplate = run("star 3\n", "chat", at("model"));
    assertThat(noTemplate.exitCode()).isEqualTo(ExitCode.FAILED);
    assertThat(noTemplate.err())
        .contains("has no chat template", "set chat_template in the recipe");
  }
}
