package dev.nibble.cli.input;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.cli.chat.HistoryFile;
import dev.nibble.cli.input.LineEditor.Typed;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.impl.DumbTerminal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Keys, as a terminal sends them. */
@Timeout(60)
class LineEditorTest {
  private static final Typed END = new Typed.End();

  private static Terminal terminal(String keys) throws IOException {
    return new DumbTerminal(
        "keys",
        "xterm",
        new ByteArrayInputStream(keys.getBytes(StandardCharsets.UTF_8)),
        new ByteArrayOutputStream(),
        StandardCharsets.UTF_8);
  }

  private static List<Typed> typed(String keys, Optional<Path> history) throws IOException {
    List<Typed> all = new ArrayList<>();
    try (LineEditor editor = LineEditor.at(terminal(keys), List.of("/save", "/set"), history)) {
      do {
        all.add(editor.read("> "));
      } while (!all.getLast().equals(END));
    }
    return all;
  }

  private static Typed text(String text) {
    return new Typed.Text(text);
  }

  @Test
  void linesMayGoOn() throws IOException {
    assertThat(typed("one! 'it\r\rtwo\\\rthree\rfour\033\rfive\r\004", Optional.empty()))
        .containsExactly(text("one! 'it"), text(""), text("two\nthree"), text("four\nfive"), END);
  }

  @Test
  void linesCanBeEdited() throws IOException {
    assertThat(typed("catt\177s\r\001big \005!\r\020\r/sav\t\r\004", Optional.empty()))
        .containsExactly(text("cats"), text("big !"), text("big !"), text("/save "), END);
  }

  /** Between two readings, Ctrl-C is the caller's. */
  @Test
  void interruptsAreTold() throws IOException {
    AtomicInteger interrupts = new AtomicInteger();
    Terminal terminal = terminal("typed\r\004");
    try (LineEditor editor = LineEditor.at(terminal, List.of(), Optional.empty())) {
      editor.onInterrupt(interrupts::incrementAndGet);
      assertThat(editor.read("> ")).isEqualTo(text("typed"));
      terminal.raise(Signal.INT);
      assertThat(interrupts).hasValue(1);
      assertThat(editor.read("> ")).isEqualTo(END);
    }
  }

  @Test
  void theHistoryIsKeptForItsUserAlone(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("state/history");
    HistoryFile.make(file);
    typed("the first\r\004", Optional.of(file));
    assertThat(typed("\020\r\004", Optional.of(file))).containsExactly(text("the first"), END);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
  }
}
