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
      plain.line(plain.bold("done"));
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
      terminal.line(terminal.green("done"));
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
  void ideographsTakeTwoCells() {
    assertThat(Cells.of("日本 a\u0301 \033[1mx\033[0m")).isEqualTo(4 + 1 + 1 + 1 + 1);
    assertThat(Cells.cut("日本語", 5)).isEqualTo("日本…");
    assertThat(Cells.cut("日本語", 6)).isEqualTo("日本語");
  }
}
