package dev.nibble.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.api.TinyRun;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a JVM prints about models, rows and templates that hold codes for terminals. */
class HostileTextTest {
  private static final String MODEL = "base\u009b2J\u202e";

  @TempDir private Path temp = Path.of("");
  private TinyRun run;

  @BeforeEach
  void writeHostileFiles() throws IOException {
    run = TinyRun.in(temp);
    Files.move(run.path("base"), run.path(MODEL));
    Files.writeString(
        run.path("rows.jsonl"),
        """
        {"instruction": "x", "input": "\\u001b[2J\\u001b]0;title\\u0007 one\\r\\ntwo", "output": "cat\\u001b[8m"}
        """);
  }

  private String printed(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(a -> !a.startsWith("-javaagent") && !a.startsWith("-Xlog"))
        .forEach(command::add);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of(arguments));
    Path out = run.path("printed.txt");
    Process process =
        new ProcessBuilder(command)
            .directory(temp.toFile())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
    return Files.readString(out, StandardCharsets.UTF_8);
  }

  private String previewed(String... more) throws IOException, InterruptedException {
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("preview", run.path("pretrain.yaml").toString(), "-n", "1"));
    arguments.addAll(List.of("--set", "base_model=\"base\\u009b2J\\u202e\""));
    arguments.addAll(List.of(more));
    return printed(arguments.toArray(String[]::new));
  }

  private static void assertHarmless(String printed) {
    assertThat(printed).doesNotContainPattern("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e]");
  }

  @Test
  void rows() throws Exception {
    String printed = previewed();
    assertHarmless(printed);
    assertThat(printed).contains("\\u001b[2J\\u001b]0;title\\u0007 one\\r\ntwo:\n[[cat\\u001b[8m");
    String tokens = previewed("--tokens");
    assertHarmless(tokens);
    assertThat(tokens).contains("\\u001b", "trained");
  }

  @Test
  void namesOfFolders() throws Exception {
    Files.delete(run.path(MODEL).resolve("config.json"));
    String printed = previewed();
    assertHarmless(printed);
    assertThat(printed).contains("/base\\u009b2J\\u202e is not a model");
  }

  @Test
  void errorsOfTemplates() throws Exception {
    String rows =
        "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}, {\"role\": \"assistant\", \"content\": \"y\"}]}\n";
    Files.writeString(run.path("chats.jsonl"), rows);
    Files.writeString(
        run.path(MODEL).resolve("chat_template.jinja"), "{{ raise_exception('no\033[2J\u202e') }}");
    String printed = previewed("--set", "datasets=[{path: chats.jsonl, type: messages}]");
    assertHarmless(printed);
    assertThat(printed).contains("no\\u001b[2J\\u202e");
  }

  @Test
  void errorsOfArguments() throws Exception {
    String printed = printed("preview", "\033[2Jmissing.yaml");
    assertHarmless(printed);
    assertThat(printed).contains("\\u001b[2Jmissing.yaml: no such file");
    assertThat(printed("\033[2Jtrain")).contains("unknown command '\\u001b[2Jtrain'");
  }
}
