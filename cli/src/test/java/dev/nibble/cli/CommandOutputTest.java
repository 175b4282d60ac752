package dev.nibble.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.api.TinyRun;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What commands print about a run of a tiny model. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CommandOutputTest {
  private Path folder = Path.of("");
  private String trained = "";

  @BeforeAll
  void train(@TempDir Path temp) throws IOException {
    folder = temp;
    TinyRun.in(folder);
    printed("train", at("pretrain.yaml"));
    trained = printed("train", at("qlora.yaml"));
  }

  private String at(String name) {
    return folder.resolve(name).toString();
  }

  private static String printed(String... command) {
    return printed(ExitCode.OK, command);
  }

  private static String printed(int exitCode, String... command) {
    PrintStream before = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      assertThat(Main.commandLine().execute(command)).isEqualTo(exitCode);
    } finally {
      System.setOut(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void trainTellsBeforeItBegins() {
    assertThat(trained)
        .containsSubsequence(
            "  kernels    cpu",
            "  data       36 rows",
            "  validation 4 rows",
            "  test       8 questions",
            "  model      ",
            " weights, linear layers in NF4, blocks of 64, double quantisation",
            "  trains     ",
            "LoRA r 4, alpha 8, on all linear layers",
            "  memory     ",
            " in tensors",
            "weights",
            "  layers     ",
            "  plan       8 steps of ",
            " samples and ",
            " tokens on average",
            "learning rate 1.00e-02, cosine");
  }

  @Test
  void trainTellsHowItWentAndHowMuchItHelped() {
    assertThat(trained)
        .containsSubsequence(
            "  before     ",
            "  step 1 of 8 · loss ",
            "validation loss",
            "  checkpoint in ",
            "  step 8 of 8 · loss ",
            "  after      ",
            " of 8 answers right",
            "  baseline   ",
            "    → ",
            "Adapter saved in ",
            "loss.svg, eval.json and answers.jsonl.",
            "Total time: 0:",
            "Peak memory of the process: ",
            "Try it:  ./nibble generate ");
  }

  @Test
  void estimate() {
    assertThat(printed("estimate", at("qlora.yaml"), "--memory", "1GiB"))
        .containsSubsequence(
            "  kernels    cpu",
            "  model      ",
            "  layers     ",
            "  data       ",
            "1.00 GiB, as asked for: it fits",
            "runtime",
            "  lengths    sequence_len   activations   all tensors",
            "  largest    sequence_len: 128 with micro_batch_size: 2",
            "  time       ",
            " for 8 steps, at ");
    assertThat(printed("estimate", at("qlora.yaml"), "--json")).startsWith("{").hasLineCount(1);
  }

  @Test
  void preview() {
    assertThat(printed("preview", at("qlora.yaml"), "-n", "1"))
        .containsSubsequence(
            "rows.jsonl, row 1: ",
            "animal number 0:\n[[animal<|endoftext|>]]",
            "  data       36 rows");
    assertThat(printed("preview", at("qlora.yaml"), "-n", "1", "--tokens"))
        .containsPattern("\\d+ +0  trained  '<\\|endoftext\\|>'");
    assertThat(printed("preview", at("qlora.yaml"), "--set", "datasets.0.prompt=\"{input} \""))
        .contains("datasets.0.prompt ends in a space");
  }

  @Test
  void eval() {
    assertThat(
            printed(
                "eval",
                at("out"),
                "--save-logits",
                at("logits.safetensors"),
                "--save-answers",
                at("answers.jsonl")))
        .containsSubsequence(
            "  loss       ",
            "  logits     saved in ",
            "  accuracy   ",
            " of 8 answers right",
            "    → ",
            "  answers    saved in ");
    assertThat(Path.of(at("answers.jsonl"))).content().contains("\"expected\":").hasLineCount(8);
  }

  @Test
  void export() {
    assertThat(printed("export", at("out"), "--merged", "-o", at("merged")))
        .containsSubsequence(
            "  merged     saved in ",
            "  onto       the weights in NF4, blocks of 64, double quantisation that the adapter was trained on",
            "  worst      ",
            "  agreement  over ",
            " tokens: KL divergence ");
    assertThat(printed("export", at("out"), "--gguf", "q8_0", "-o", at("model.gguf")))
        .contains("  gguf       q8_0, ");
    assertThat(printed("export", at("out"), "--adapter", "-o", at("adapter")))
        .contains("  adapter    saved in ");
  }

  @Test
  void quantize() {
    assertThat(printed("quantize", at("model"), at("four-bit")))
        .contains("Saved ", "four-bit: 14 of 14 linear layers in NF4", " in 1 file");
  }

  @Test
  void plan() {
    String file = at("plan.json");
    String text = printed("plan", at("qlora.yaml"), "--bits", "3.5", "-o", file);
    assertThat(text)
        .containsSubsequence(
            "  kernels    cpu",
            "  data       36 rows",
            "  model      ",
            "  layer  q ",
            " down",
            "  0 ",
            "  all in ",
            " bits ",
            " divergence",
            "  hqq-2 ",
            " 2.500 ",
            "  plan ",
            "Saved " + file,
            "Train on it: nibble train ",
            "qlora.yaml --set quantization_plan=" + file);
    assertThat(printed(ExitCode.FAILED, "plan", at("qlora.yaml"), "--bits", "3.5", "-o", file))
        .isEmpty();
  }

  /** A format that fails has its reason below the rows before it, and the exit code tells. */
  @Test
  void compare() {
    String table =
        printed(
            ExitCode.FAILED,
            "compare",
            at("qlora.yaml"),
            "--formats",
            "nf4,int8,hqq-2",
            "--set",
            "max_steps=4",
            "--train");
    assertThat(table)
        .containsSubsequence(
            "  kernels    cpu",
            "  validation 4 rows",
            "  model      ",
            "  format ",
            " bits ",
            " perplexity ",
            " trained ",
            "  full ",
            "  nf4 ",
            " 4.131 ",
            "  int8 failed: tensor 'model.layers.0.",
            "groups of 128 do not divide",
            "  hqq-2 ",
            " 2.500 ",
            "  weights: error of the quantised matrices",
            "Saved ",
            "compare-out/compare.md and compare.svg");
    assertThat(table.lines().filter(l -> l.matches("  (format|full|nf4|hqq-2) .*")))
        .hasSize(4)
        .allMatch(line -> line.length() <= 80);
  }

  @Test
  void compareInJson() {
    String lines = printed("compare", at("qlora.yaml"), "--formats", "rtn-3", "--json");
    assertThat(lines.lines())
        .satisfiesExactly(
            full ->
                assertThat(full)
                    .startsWith("{\"format\":\"full\",")
                    .contains("\"bits\":32,", "\"weight_error\":0,", "\"output_error\":0,")
                    .contains("\"perplexity\":", "\"seconds\":", "\"tokens_per_second\":")
                    .doesNotContain("trained_perplexity", "error\":\""),
            rtn -> assertThat(rtn).startsWith("{\"format\":\"rtn-3\",").contains("\"bits\":3.5,"));
  }

  @Test
  void generateEndsItsLine() {
    assertThat(printed("generate", at("out"), "--input", "star number 3", "--max-new-tokens", "4"))
        .endsWith("\n");
  }
}
