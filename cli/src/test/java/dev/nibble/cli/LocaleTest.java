package dev.nibble.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.api.TinyRun;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher and a real JVM in an environment without a locale, as cron and containers have. */
class LocaleTest {
  @TempDir private Path temp = Path.of("");
  private Path folder = Path.of("");

  /** A tree like a clone's, whose only jar names everything on the tests' class path. */
  @BeforeEach
  void makeTree() throws IOException {
    Path shipped = Path.of(System.getProperty("nibble.root"));
    Files.copy(shipped.resolve("nibble"), temp.resolve("nibble"));
    assertThat(temp.resolve("nibble").toFile().setExecutable(true)).isTrue();
    Path lib = Files.createDirectories(temp.resolve("cli/target/lib"));
    Files.writeString(
        lib.resolveSibling("nibble.jvm"),
        Files.readString(shipped.resolve("cli/src/main/launcher/nibble.jvm"))
                .replace("${nibble.jvm}", System.getProperty("nibble.jvm", ""))
                .strip()
            + "\n");
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest
        .getMainAttributes()
        .put(
            Attributes.Name.CLASS_PATH,
            Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .map(element -> Path.of(element).toUri().toASCIIString())
                .collect(Collectors.joining(" ")));
    new JarOutputStream(Files.newOutputStream(lib.resolve("all.jar")), manifest).close();
    folder = Files.createDirectories(temp.resolve("läufe und größen"));
    TinyRun.in(folder);
  }

  private String run(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("env", "-i"));
    command.add("PATH=" + System.getenv("PATH"));
    command.add("NIBBLE_JAVA_HOME=" + System.getProperty("java.home"));
    command.add(temp.resolve("nibble").toString());
    command.addAll(List.of(arguments));
    Path out = temp.resolve("out.txt");
    Process process =
        new ProcessBuilder(command)
            .directory(temp.toFile())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    assertThat(process.waitFor(300, TimeUnit.SECONDS)).isTrue();
    return Files.readString(out, StandardCharsets.UTF_8);
  }

  @Test
  void textsArgumentsAndPathsAreUtf8() throws Exception {
    String recipe = folder.resolve("pretrain.yaml").toString();
    String prompt = "datasets.0.prompt='Grüße, {input} … 日本:'";
    assertThat(run("preview", recipe, "-n", "1", "--set", prompt))
        .contains("läufe und größen/rows.jsonl, row 1", "Grüße, animal number 0 … 日本:[[animal");
    String output = "output_dir='" + folder.resolve("über") + "'";
    assertThat(run("train", recipe, "--set", "max_steps=1", "--set", output))
        .contains("  plan       1 step of ", " · loss ", "größen/über");
    assertThat(folder.resolve("über/metrics.jsonl")).exists();
    String answer =
        run(
            "generate",
            folder.resolve("über").toString(),
            "--prompt",
            "Grüße",
            "--max-new-tokens",
            "1");
    assertThat(answer).doesNotContain("?", "Error");
    assertThat(run("preview", folder.resolve("fehlt ü.yaml").toString()))
        .contains("größen/fehlt ü.yaml: no such file");
  }
}
