package dev.nibble.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class CommandLineTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    CommandLine commandLine = Main.commandLine();
    commandLine.setOut(new PrintWriter(out, true));
    commandLine.setErr(new PrintWriter(err, true));
    return commandLine.execute(args);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "train",
        "preview",
        "estimate",
        "eval",
        "generate",
        "chat",
        "quantize",
        "compare",
        "plan",
        "bench",
        "doctor"
      })
  void everyCommandHasHelpWithAnExample(String command) {
    assertThat(run(command, "--help")).isZero();
    assertThat(out.toString()).contains("Usage: nibble " + command, "  nibble " + command + " ");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void helpListsCommandsAndExitCodes() {
    assertThat(run("--help")).isZero();
    assertThat(out.toString())
        .contains("train", "preview", "eval", "generate", "130", "143", "quickstart.yaml");
    String byOption = out.toString();
    out.getBuffer().setLength(0);
    assertThat(run()).isZero();
    assertThat(out.toString()).isEqualTo(byOption);
    out.getBuffer().setLength(0);
    assertThat(run("help", "train")).isZero();
    assertThat(out.toString()).contains("--resume");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--type gptq|--data: --type gptq is fitted to data; give a recipe, such as the one to train with",
        "--type gptq --data r.yaml --bits 1|--bits: expected one of [8, 4, 3, 2], got 1",
        "--type gptq --data r.yaml --group-size 0|--group-size: expected at least 1, or -1 for whole rows, got 0",
        "--type gptq --data r.yaml --damping 0|--damping: expected a positive number, got 0.0",
        "--type gptq --data r.yaml --samples 0|--samples: expected 1 or more, got 0",
        "--type gptq --data r.yaml --axis outputs|--axis: not for --type gptq; remove it",
        "--type spqr|--data: --type spqr is fitted to data; give a recipe, such as the one to train with",
        "--type spqr --data r.yaml --bits 1|--bits: expected one of [8, 4, 3, 2], got 1",
        "--type spqr --data r.yaml --group-size 0|--group-size: expected 1 or more, got 0",
        "--type spqr --data r.yaml --outlier-threshold 0|--outlier-threshold: expected a positive number, got 0.0",
        "--type spqr --data r.yaml --symmetric|--symmetric: not for --type spqr; remove it",
        "--type gptq --data r.yaml --outlier-threshold 1|--outlier-threshold: not for --type gptq; remove it",
        "--type hqq --data r.yaml|--data: not for --type hqq; remove it",
        "--type hqq --bits 5|--bits: expected one of [8, 4, 3, 2, 1], got 5",
        "--type hqq --group-size 12|--group-size: expected a multiple of 8, got 12",
        "--type int8 --bits 4|--bits: not for --type int8; remove it",
        "--type nf4 --group-size 64|--group-size: not for --type nf4; remove it",
        "--blocksize 48|--blocksize: expected one of"
      })
  void optionsOfOneFormatAreRefusedForAnother(String options, String message) {
    List<String> arguments = new ArrayList<>(List.of("quantize", "model", "out"));
    arguments.addAll(List.of(options.split(" ")));
    assertThat(run(arguments.toArray(String[]::new))).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).startsWith(message);
  }

  @Test
  void benchTakesFormatsThatNeedNoData() {
    assertThat(run("bench", "--format", "gptq-4")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString())
        .startsWith("--format: gptq-4 is fitted to data, of which random weights have none");
    err.getBuffer().setLength(0);
    assertThat(run("bench", "--format", "nf5")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).startsWith("--format: unknown weight format 'nf5'.");
  }

  @Test
  void unknownFormatsAreWrongUsage() {
    String recipe = System.getProperty("nibble.root") + "/recipes/quickstart.yaml";
    assertThat(run("compare", recipe, "--formats", "nf4,hqq3")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString())
        .startsWith(
            "--formats: unknown weight format 'hqq3'. Did you mean 'hqq-3'? There are full, nf4")
        .contains("hqq-BITS[-gGROUP]", "Try 'nibble compare --help'.");
  }

  @Test
  void aPlanNeedsOneBudgetAndFormatsThatItCanChoose() {
    String recipe = System.getProperty("nibble.root") + "/recipes/quickstart.yaml";
    assertThat(run("plan", recipe)).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("--bits=N | --size=SIZE");
    for (String bits : new String[] {"0", "-1", "NaN"}) {
      err.getBuffer().setLength(0);
      assertThat(run("plan", recipe, "--bits", bits)).isEqualTo(ExitCode.USAGE);
      assertThat(err.toString()).startsWith("--bits: expected a positive number, got ");
    }
    err.getBuffer().setLength(0);
    assertThat(run("plan", recipe, "--bits", "3", "--size", "1MB")).isEqualTo(ExitCode.USAGE);
    err.getBuffer().setLength(0);
    assertThat(run("plan", recipe, "--bits", "3", "--formats", "nf4,nf5"))
        .isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).startsWith("--formats: unknown weight format 'nf5'.");
    err.getBuffer().setLength(0);
    assertThat(run("plan", recipe, "--bits", "3", "--formats", "gptq-3")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString())
        .startsWith("--formats: gptq-3 is no format for a plan: it is fitted to data");
  }

  @Test
  void version() {
    assertThat(run("--version")).isZero();
    assertThat(out.toString()).startsWith("Nibble ").contains("Java 25");
  }

  @Test
  void wrongUsage() {
    assertThat(run("trian")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).startsWith("unknown command 'trian'. Did you mean 'train'?");
    err.getBuffer().setLength(0);
    assertThat(run("completion")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).startsWith("unknown command 'completion'. Commands: train, ");
    err.getBuffer().setLength(0);
    assertThat(run("train", "r.yaml", "--resum=x")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).startsWith("unknown option '--resum'. Did you mean '--resume'?");
    err.getBuffer().setLength(0);
    assertThat(run("doctor", "x")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).startsWith("unexpected argument 'x'");
    err.getBuffer().setLength(0);
    assertThat(run("train")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString())
        .contains("Missing required parameter: 'RECIPE'", "nibble train --help");
    assertThat(run("train", "r.yaml", "--resume", "--overwrite")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("mutually exclusive");
  }

  @Test
  void numbersThatMakeNoSense() {
    assertThat(run("preview", "r.yaml", "-n", "0")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).startsWith("--samples: expected 1 or more, got 0");
    err.getBuffer().setLength(0);
    assertThat(run("estimate", "r.yaml", "--memory", "16")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("'16' has no unit; write 16GiB or 16MiB, or 16B for bytes");
    err.getBuffer().setLength(0);
    assertThat(run("generate", "out", "--max-new-tokens", "0")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("--max-new-tokens: expected 1 or more, got 0");
    err.getBuffer().setLength(0);
    assertThat(run("chat", "out", "--max-new-tokens", "0")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("--max-new-tokens: expected 1 or more, got 0");
    err.getBuffer().setLength(0);
    assertThat(run("chat", "out", "--temperature", "-1")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).startsWith("temperature must be above 0, not -1.0");
  }

  @Test
  void generateWithoutAPromptSaysHowToGiveOne() {
    assertThat(run("generate", "out")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).startsWith("say what to generate from: --prompt TEXT");
  }

  @Test
  void recipesThatAreWrongEndWithTwoAndNoStackTrace(@TempDir Path folder) throws IOException {
    assertThat(run("train", folder.resolve("no.yaml").toString())).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString())
        .isEqualTo(folder.resolve("no.yaml") + ": no such file; expected a recipe\n");
    err.getBuffer().setLength(0);
    Path bad = Files.writeString(folder.resolve("bad.yaml"), "base_modle: x\n");
    assertThat(run("preview", bad.toString())).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("did you mean base_model?").doesNotContain("\tat ");
  }

  @Test
  void otherErrorsEndWithOne(@TempDir Path folder) throws IOException {
    Path recipe =
        Files.writeString(
            folder.resolve("r.yaml"),
            "base_model: nowhere\ndatasets: [{path: rows.jsonl}]\noutput_dir: "
                + folder.resolve("out")
                + "\n");
    assertThat(run("preview", recipe.toString())).isEqualTo(ExitCode.FAILED);
    assertThat(err.toString())
        .contains(folder.resolve("nowhere").toString())
        .doesNotContain("\tat ");
    err.getBuffer().setLength(0);
    assertThat(run("preview", "--debug", recipe.toString())).isEqualTo(ExitCode.FAILED);
    assertThat(err.toString()).contains("\tat ");
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @Test
  void aFolderThatIsNoRun(@TempDir Path folder) {
    assertThat(run("generate", folder.toString(), "--prompt", "x")).isEqualTo(ExitCode.USAGE);
    assertThat(err.toString()).contains("is not a Nibble run (no recipe.resolved.yaml)");
  }
}
