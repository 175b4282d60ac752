package dev.nibble.cli.input;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jline.reader.CompletingParsedLine;
import org.jline.reader.EOFError;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReader.Option;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.completer.StringsCompleter;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.TerminalBuilder;

/**
 * An editor of what a person types at a terminal, with a history. A line that ends in a backslash
 * goes on in the next, and so does one that ends with Alt-Enter; pasted text may have many lines.
 */
public final class LineEditor implements AutoCloseable {
  private static final String GOES_ON = "\\";
  private static final int KEPT = 1000;

  /** What a person did instead of ending a line. */
  public sealed interface Typed {
    /** A text, of one line or more. */
    record Text(String text) implements Typed {}

    /** Ctrl-C: what was typed is dropped. */
    record Interrupt() implements Typed {}

    /** Ctrl-D in an empty line. */
    record End() implements Typed {}
  }

  private final Terminal terminal;
  private final LineReader reader;

  private LineEditor(Terminal terminal, LineReader reader) {
    this.terminal = terminal;
    this.reader = reader;
  }

  /**
   * An editor at the terminal that the process was started from.
   *
   * @param words that the Tab key completes
   * @param history the file that keeps what was typed; empty to keep nothing
   */
  public static LineEditor open(List<String> words, Optional<Path> history) {
    try {
      return at(TerminalBuilder.builder().system(true).build(), words, history);
    } catch (IOException e) {
      throw new UncheckedIOException("the terminal cannot be opened: " + e.getMessage(), e);
    }
  }

  static LineEditor at(Terminal terminal, List<String> words, Optional<Path> history) {
    LineReaderBuilder builder =
        LineReaderBuilder.builder()
            .terminal(terminal)
            .parser(LineEditor::parsed)
            .completer(new StringsCompleter(words))
            .option(Option.DISABLE_EVENT_EXPANSION, true) // an exclamation mark is one
            .option(Option.HISTORY_IGNORE_DUPS, true)
            .option(Option.INSERT_TAB, false)
            .variable(LineReader.SECONDARY_PROMPT_PATTERN, "  ")
            .variable(LineReader.HISTORY_SIZE, KEPT)
            .variable(LineReader.HISTORY_FILE_SIZE, KEPT);
    history.ifPresent(file -> builder.variable(LineReader.HISTORY_FILE, file));
    return new LineEditor(terminal, builder.build());
  }

  /** All that was typed is one word: a message is no command line. */
  private static ParsedLine parsed(String line, int cursor, Parser.ParseContext context) {
    if (context == Parser.ParseContext.ACCEPT_LINE && line.endsWith(GOES_ON)) {
      throw new EOFError(-1, -1, "the line goes on");
    }
    return new Whole(line, cursor);
  }

  private record Whole(String line, int cursor) implements CompletingParsedLine {
    @Override
    public String word() {
      return line;
    }

    @Override
    public int wordCursor() {
      return cursor;
    }

    @Override
    public int wordIndex() {
      return 0;
    }

    @Override
    public List<String> words() {
      return List.of(line);
    }

    @Override
    public CharSequence escape(CharSequence candidate, boolean complete) {
      return candidate;
    }

    @Override
    public int rawWordCursor() {
      return cursor;
    }

    @Override
    public int rawWordLength() {
      return line.length();
    }
  }

  /** Reads what a person types. */
  public Typed read(String prompt) {
    try {
      return new Typed.Text(reader.readLine(prompt).replace(GOES_ON + "\n", "\n"));
    } catch (UserInterruptException e) {
      return new Typed.Interrupt();
    } catch (EndOfFileException e) {
      return new Typed.End();
    }
  }

  /** Runs {@code handler} at each Ctrl-C while nothing is read. */
  public void onInterrupt(Runnable handler) {
    terminal.handle(Signal.INT, _ -> handler.run());
  }

  /** Saves the history, and gives the terminal back. */
  @Override
  public void close() {
    try {
      reader.getHistory().save();
      terminal.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
