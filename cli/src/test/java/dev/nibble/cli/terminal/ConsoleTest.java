package dev.nibble.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ConsoleTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private Console console(boolean terminal) {
    return new Console(new PrintStream(bytes, true, StandardCharsets.UTF_8), terminal, terminal);
  }

  private String shown() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void liveLinesAreForTerminals() {
    Console plain = console(false);
    plain.live("working");
    plain.line(plain.bold("done"));
    assertThat(shown()).isEqualTo("done\n");
  }

  @Test
  void aLineReplacesTheLiveOne() {
    Console terminal = console(true);
    terminal.live("a");
    terminal.live("b");
    terminal.line("c");
    String erase = "\r\033[K";
    assertThat(shown())
        .isEqualTo(erase + "\033[?7la\033[?7h" + erase + "\033[?7lb\033[?7h" + erase + "c\n");
  }
}
