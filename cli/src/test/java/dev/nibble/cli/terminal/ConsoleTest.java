package dev.nibble.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class ConsoleTest {
  private static final String ERASE = "\r\033[J";

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
  private final AtomicInteger columns = new AtomicInteger(40);

  private Console terminal(boolean colours) {
    return Console.terminal(out, colours, columns::get);
  }

  private String shown() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void filesGetNoLiveLinesColoursOrEscapes() {
    try (Console plain = Console.plain(out)) {
      plain.live("working");
      plain.line(new StyledText().bold("done"));
      plain.entry(
          "kernels", "a text that is much longer than any window would be: it stays one line");
    }
    assertThat(shown())
        .isEqualTo(
            "done\n  kernels    a text that is much longer than any window would be: it stays one line\n");
  }

  @Test
  void noColourLeavesLiveLines() {
    try (Console terminal = terminal(false)) {
      terminal.live("working");
      terminal.line(new StyledText().green("done"));
    }
    assertThat(shown()).isEqualTo("working" + ERASE + "done\n");
  }

  @Test
  void aLineReplacesTheLiveOneAndClosingErasesIt() {
    try (Console terminal = terminal(true)) {
      terminal.live("a");
      terminal.live("b");
      terminal.line("c");
      terminal.live("d");
    }
    assertThat(shown()).isEqualTo("a" + ERASE + "b" + ERASE + "c\nd" + ERASE);
  }

  @Test
  void aLiveLineNeverReachesTheLastColumn() {
    terminal(true).live("x".repeat(40));
    assertThat(shown()).isEqualTo("x".repeat(38) + "…");
  }

  @Test
  void aLiveLineThatANarrowerWindowBrokeIsErasedWhole() {
    Console terminal = terminal(true);
    terminal.live("x".repeat(39));
    columns.set(15); // three rows now, and the cursor is in the last
    terminal.line("c");
    assertThat(shown()).isEqualTo("x".repeat(39) + "\033[2A" + ERASE + "c\n");
  }

  @Test
  void sentencesGoOnBelowThemselvesAsFarIndented() {
    String sentence = "  step 100: validation loss 0.7857, perplexity 2.194";
    terminal(false).sentence(sentence);
    assertThat(shown()).isEqualTo("  step 100: validation loss 0.7857,\n  perplexity 2.194\n");
    bytes.reset();
    Console.plain(out).sentence(sentence);
    assertThat(shown()).isEqualTo(sentence + "\n");
  }

  @Test
  void entriesGoOnBelowThemselvesBetweenWords() {
    terminal(false).entry("kernels", "cpu: AMD EPYC, AVX-512, 2 threads, oneDNN 3.11.0, bf16");
    assertThat(shown())
        .isEqualTo(
            """
              kernels    cpu: AMD EPYC, AVX-512, 2
                         threads, oneDNN 3.11.0,
                         bf16
            """);
    assertThat(shown().lines().mapToInt(String::length)).allMatch(length -> length < 40);
  }

  @Test
  void aDumbTerminalHasAWindowAndNoEscapeCodes() {
    try (Console dumb = Console.dumb(out, () -> 40)) {
      dumb.live("working");
      dumb.entry("kernels", "cpu: AMD EPYC, AVX-512, 2 threads");
      dumb.sentence(new StyledText().bold("  step 100: ").green("validation loss 0.7857, down"));
      dumb.entry(new StyledText().green("ok "), 3, "no NVIDIA GPU found, training runs on the CPU");
    }
    assertThat(shown())
        .isEqualTo(
            """
              kernels    cpu: AMD EPYC, AVX-512, 2
                         threads
              step 100: validation loss 0.7857,
              down
            ok no NVIDIA GPU found, training runs
               on the CPU
            """);
  }

  @Test
  void ideographsTakeTwoCells() {
    assertThat(Cells.of("日本 a\u0301 x")).isEqualTo(4 + 1 + 1 + 1 + 1);
    assertThat(Cells.cut("日本語", 5)).isEqualTo("日本…");
    assertThat(Cells.cut("日本語", 6)).isEqualTo("日本語");
  }

  @Test
  void onlyStylesOfOursAreObeyed() {
    Console terminal = terminal(true);
    terminal.line(new StyledText().plain("a\033[2J").bold("b\033[0m\007").green(""));
    terminal.lines(new StyledText().boldGreen("one\n\ttwo\r").plain("\b"));
    assertThat(shown())
        .isEqualTo(
            """
            a\\u001b[2J\033[1mb\\u001b[0m\\u0007\033[0m
            \033[1;32mone
            \ttwo\\r\033[0m\\u0008
            """);
  }

  @Test
  void controlCharactersAreShownAsJsonWritesThem() {
    try (Console plain = Console.plain(out)) {
      plain.line("\0 \t \n \r \u007f \u0085 \u009b31m \u2028 \u202e \u2066 \u200f");
      plain.entry("warning", "row\n  model      another");
    }
    assertThat(shown())
        .isEqualTo(
            """
            \\u0000 \\t \\n \\r \\u007f \\u0085 \\u009b31m \\u2028 \\u202e \\u2066 \\u200f
              warning    row\\n  model      another
            """);
  }

  @Test
  void whatIsOnlyUnusualStays() {
    String text = "日本 \uD83D\uDC69\u200D\uD83D\uDCBB a\u0301 \u00a0 \\ \uFFFD";
    terminal(true).line(text);
    assertThat(shown()).isEqualTo(text + "\n");
  }

  @Test
  void aLiveLineIsMeasuredAsItIsShown() {
    Console terminal = terminal(true);
    terminal.live("\033".repeat(39));
    assertThat(Cells.of(shown())).isEqualTo(39);
    terminal.line("");
    assertThat(shown()).doesNotContain("\033[1A").endsWith("…" + ERASE + "\n");
  }

  @Test
  void answersAreExactWhereNoTerminalReadsThem() {
    String answer = "a\033]0;title\007\r\n\tb\u202e";
    terminal(true).answer(answer);
    assertThat(shown()).isEqualTo("a\\u001b]0;title\\u0007\\r\n\tb\\u202e");
    bytes.reset();
    Console.plain(out).answer(answer);
    assertThat(shown()).isEqualTo(answer);
  }

  @Test
  void streamsShowControlCharactersWhereverTheirBytesAreDivided() {
    String text = "Größe \uD83D\uDE00 \u009b31m\u202e\033[1m\n\tend";
    byte[] all = text.getBytes(StandardCharsets.UTF_8);
    for (int at = 0; at <= all.length; at++) {
      bytes.reset();
      PrintStream harmless = HarmlessOutput.to(out);
      harmless.write(all, 0, at);
      harmless.flush();
      harmless.write(all, at, all.length - at);
      harmless.write(0xFF); // no character begins so
      harmless.println();
      assertThat(shown())
          .isEqualTo("Größe \uD83D\uDE00 \\u009b31m\\u202e\\u001b[1m\n\tend\uFFFD\n");
    }
  }
}
