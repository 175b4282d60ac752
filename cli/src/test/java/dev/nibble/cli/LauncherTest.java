package dev.nibble.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The script {@code nibble}, in a tree of its own with a Java that only tells how it was called.
 */
class LauncherTest {
  private static final String WARNING = "WARNING: Using incubator modules: jdk.incubator.vector";

  @TempDir private Path temp = Path.of("");
  private Path root = Path.of("");
  private Path jdk = Path.of("");

  /** How it ended. */
  private record Result(int exitCode, String out, String err) {}

  @BeforeEach
  void makeTree() throws IOException {
    root = Files.createDirectories(temp.resolve("the tree"));
    Path script = root.resolve("nibble");
    Files.copy(Path.of(System.getProperty("nibble.root"), "nibble"), script);
    executable(script);
    Files.createDirectories(root.resolve("cli/target"));
    Files.writeString(root.resolve("cli/target/nibble.jvm"), "-Xmx1g -Da=b\n");
    Files.createFile(root.resolve("cli/target/nibble.built"));
    jdk = jdk("jdk 25", "25.0.1");
    Files.writeString(
        jdk.resolve("bin/java"),
        """
        #!/bin/bash
        echo '%s' >&2
        echo 'an error' >&2
        printf '<%%s>\\n' "$@"
        exit ${FAKE_EXIT:-0}
        """
            .formatted(WARNING));
  }

  private Path jdk(String name, String version) throws IOException {
    Path home = Files.createDirectories(temp.resolve(name));
    Files.createDirectories(home.resolve("bin"));
    Files.writeString(home.resolve("bin/java"), "#!/bin/bash\nexit 9\n");
    executable(home.resolve("bin/java"));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
    return home;
  }

  private static void executable(Path file) {
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  private Result run(Path script, Map<String, String> environment, String... args)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(script.toString()));
    command.addAll(List.of(args));
    ProcessBuilder builder = new ProcessBuilder(command).directory(temp.toFile());
    builder.environment().remove("JAVA_HOME");
    builder.environment().remove("NIBBLE_JAVA_HOME");
    builder.environment().remove("LC_ALL");
    builder.environment().remove("LC_CTYPE");
    builder.environment().put("HOME", temp.toString());
    builder.environment().putAll(environment);
    Path out = temp.resolve("out");
    Path err = temp.resolve("err");
    Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Result(process.exitValue(), Files.readString(out), errorsOnceWritten(err));
  }

  /** The filter of standard error may end a moment after Java. */
  private static String errorsOnceWritten(Path err) throws IOException, InterruptedException {
    for (int i = 0; i < 200 && Files.size(err) == 0; i++) {
      Thread.sleep(10);
    }
    return Files.readString(err);
  }

  @Test
  void passesArgumentsAndExitCodeAndDropsOneWarning() throws Exception {
    Result result =
        run(
            root.resolve("nibble"),
            Map.of("NIBBLE_JAVA_HOME", jdk.toString(), "FAKE_EXIT", "42"),
            "train",
            "my recipe.yaml",
            "--set",
            "a='b c'");
    assertThat(result.exitCode()).isEqualTo(42);
    assertThat(result.err()).isEqualTo("an error\n");
    assertThat(result.out())
        .contains("<-Xmx1g>\n<-Da=b>\n<-Dnibble.terminal=false>\n<-Dnibble.piped=true>\n")
        .endsWith("<dev.nibble.cli.Main>\n<train>\n<my recipe.yaml>\n<--set>\n<a='b c'>\n");
  }

  @ParameterizedTest
  @CsvSource({"C, C.UTF-8", "POSIX, C.UTF-8", "C.UTF-8, ''"})
  void makesTheLocaleUtf8(String before, String after) throws Exception {
    Files.writeString(jdk.resolve("bin/java"), "#!/bin/bash\nprintf '%s' \"${LC_ALL:-}\"\n");
    Result result =
        run(root.resolve("nibble"), Map.of("NIBBLE_JAVA_HOME", jdk.toString(), "LANG", before));
    assertThat(result.out()).isEqualTo(after);
  }

  @Test
  void aDumbTerminalIsNone() throws Exception {
    // script(1) makes a terminal; without it there is nothing to look at.
    Path script = Path.of("/usr/bin/script");
    assumeThat(script).isExecutable();
    for (String term : List.of("xterm", "dumb")) {
      String command = "TERM=" + term + " '" + root.resolve("nibble") + "'";
      ProcessBuilder builder =
          new ProcessBuilder(script.toString(), "-qec", command, "/dev/null")
              .redirectInput(Path.of("/dev/null").toFile());
      builder.environment().put("NIBBLE_JAVA_HOME", jdk.toString());
      Process process = builder.start();
      assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
          .contains("-Dnibble.terminal=" + term.equals("xterm"));
    }
  }

  @Test
  void saysSoWhenTooFewFilesMayBeOpen() throws Exception {
    Path limited =
        Files.writeString(
            temp.resolve("limited"),
            "#!/bin/bash\nulimit -n 100\nexec '%s' x\n".formatted(root.resolve("nibble")));
    executable(limited);
    Result result = run(limited, Map.of("NIBBLE_JAVA_HOME", jdk.toString()));
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.err())
        .contains("Only 100 files may be open at once here, and Nibble needs 256", "ulimit -n");
  }

  @Test
  void worksThroughSymbolicLinks() throws Exception {
    Path link = Files.createSymbolicLink(temp.resolve("link"), Path.of("the tree/nibble"));
    Path second = Files.createSymbolicLink(temp.resolve("second"), link);
    Result result = run(second, Map.of("JAVA_HOME", jdk.toString()), "x");
    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).contains("the tree/cli/target/lib/*").endsWith("<x>\n");
  }

  @Test
  void passesOverOtherVersionsOfJava() throws Exception {
    Path old = jdk("jdk 17", "17.0.15");
    Path newer = jdk("jdk 26", "26");
    Files.createDirectories(temp.resolve(".jdks"));
    Files.createSymbolicLink(temp.resolve(".jdks/temurin-25"), jdk);
    Result result =
        run(
            root.resolve("nibble"),
            Map.of("NIBBLE_JAVA_HOME", old.toString(), "JAVA_HOME", newer.toString()));
    // Whichever JDK 25 this machine has may come first; the others must not.
    assertThat(result.exitCode()).isNotEqualTo(9);
  }

  @Test
  void saysWhatToInstallWhenThereIsNoMaven() throws Exception {
    Files.createDirectories(root.resolve("compute/src"));
    Files.delete(root.resolve("cli/target/nibble.built"));
    Path bin = Files.createDirectories(temp.resolve("bin"));
    for (String tool :
        List.of("bash", "dirname", "readlink", "grep", "find", "locale", "mkdir", "env")) {
      Files.createSymbolicLink(bin.resolve(tool), onPath(tool));
    }
    Result result =
        run(
            root.resolve("nibble"),
            Map.of("NIBBLE_JAVA_HOME", jdk.toString(), "PATH", bin.toString()));
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.err()).contains("no mvn on the PATH", "apt install maven");
  }

  @Test
  void buildsOnceAndShowsWhyABuildFails() throws Exception {
    for (String module :
        List.of(
            "compute", "quant", "adapters", "jinja", "data", "trainer", "recipes", "api", "cli")) {
      Files.createDirectories(root.resolve(module + "/src/main"));
      Files.createFile(root.resolve(module + "/pom.xml"));
    }
    Files.createFile(root.resolve("pom.xml"));
    Files.delete(root.resolve("cli/target/nibble.built"));
    Path bin = Files.createDirectories(temp.resolve("bin"));
    Path mvn =
        Files.writeString(bin.resolve("mvn"), "#!/bin/bash\necho '[ERROR] broken'; exit 1\n");
    executable(mvn);
    Map<String, String> environment =
        Map.of("NIBBLE_JAVA_HOME", jdk.toString(), "PATH", bin + ":" + System.getenv("PATH"));
    Result failed = run(root.resolve("nibble"), environment);
    assertThat(failed.exitCode()).isEqualTo(1);
    assertThat(failed.err())
        .contains("Building Nibble (first use", "up to 350 MB", "[ERROR] broken", "build.log");

    Files.writeString(mvn, "#!/bin/bash\necho $* > '" + temp + "/built with'\n");
    assertThat(run(root.resolve("nibble"), environment).err()).contains("Building Nibble");
    assertThat(run(root.resolve("nibble"), environment).err()).doesNotContain("Building");

    Map<String, String> profile = new HashMap<>(environment);
    profile.put("NIBBLE_MAVEN", "-Pnd4j-cuda -o");
    assertThat(run(root.resolve("nibble"), profile).err()).contains("NIBBLE_MAVEN have changed");
    assertThat(temp.resolve("built with")).content().contains(" -Pnd4j-cuda -o package");
    assertThat(run(root.resolve("nibble"), profile).err()).doesNotContain("Building");
    assertThat(run(root.resolve("nibble"), environment).err()).contains("NIBBLE_MAVEN");
  }

  /** It cannot run here: what it has to share with the script is compared. */
  @Test
  void theOneForWindowsKnowsTheSameAndCanBeReadByCmd() throws Exception {
    Path folder = Path.of(System.getProperty("nibble.root"));
    String unix = Files.readString(folder.resolve("nibble"));
    String windows = Files.readString(folder.resolve("nibble.cmd"), StandardCharsets.US_ASCII);
    assertThat(windows.replace("\r\n", "")).as("lines end in CRLF").doesNotContain("\n", "\r");
    String modules = unix.replaceFirst("(?s).*\nmodules=\\((.*?)\\).*", "$1");
    assertThat(modules).startsWith("errors ").endsWith(" cli");
    assertThat(windows).contains("'" + modules.replace(" ", "', '") + "'");
    assertThat(unix).contains("-pl cli -am -Dmaven.test.skip=true");
    assertThat(windows)
        .contains("-pl cli -am -Dmaven.test.skip=true", "-Dnibble.terminal=", "-Dnibble.piped=");
    Set<String> labels = matches(windows, "(?m)^:(\\w+)");
    assertThat(matches(windows, "(?:goto |call :)(\\w+)")).isEqualTo(labels);
  }

  private static Set<String> matches(String text, String pattern) {
    return Pattern.compile(pattern)
        .matcher(text)
        .results()
        .map(m -> m.group(1))
        .collect(Collectors.toSet());
  }

  @Test
  void tellsHowFarAFirstBuildIs() throws Exception {
    // script(1) makes a terminal; without it there is nothing to look at.
    Path script = Path.of("/usr/bin/script");
    assumeThat(script).isExecutable();
    Files.createDirectories(root.resolve("compute/src"));
    Files.delete(root.resolve("cli/target/nibble.built"));
    Path bin = Files.createDirectories(temp.resolve("bin"));
    Path mvn =
        Files.writeString(
            bin.resolve("mvn"),
            """
            #!/bin/bash
            echo '[INFO] Building Nibble quant 0.1.0-SNAPSHOT        [3/11]'
            echo '[INFO] Downloading from there: there/a/1/a-1.jar'
            echo '[INFO] Downloaded from there: there/a/1/a-1.jar (1.5 MB at 2 MB/s)'
            echo 'Downloading from there: there/b/1/b-1.jar'
            echo 'Downloaded from there: there/b/1/b-1.jar (500 kB at 2 MB/s)'
            echo '[INFO] Downloading from there: there/natives/2/natives-2.jar'
            sleep 2
            echo '[INFO] --- compiler:3.16.0:compile (default-compile) @ nibble-quant ---'
            sleep 2
            """);
    executable(mvn);
    ProcessBuilder builder =
        new ProcessBuilder(
                script.toString(),
                "-qec",
                "TERM=xterm '" + root.resolve("nibble") + "'",
                "/dev/null")
            .redirectInput(Path.of("/dev/null").toFile());
    builder.environment().put("NIBBLE_JAVA_HOME", jdk.toString());
    builder.environment().put("PATH", bin + ":" + System.getenv("PATH"));
    assertThat(new String(builder.start().getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .contains("up to 350 MB", "Log: " + root.toRealPath() + "/cli/target/build.log")
        .containsPattern(
            "0:0\\d, downloaded 2 files, 2 MB, module 3 of 11, downloading natives-2.jar")
        .containsPattern("0:0\\d, downloaded 2 files, 2 MB, module 3 of 11, compiling");
  }

  private static Path onPath(String tool) {
    for (String folder : System.getenv("PATH").split(":", -1)) {
      if (Files.isExecutable(Path.of(folder, tool))) {
        return Path.of(folder, tool);
      }
    }
    throw new AssertionError(tool + " is not on the PATH");
  }
}
