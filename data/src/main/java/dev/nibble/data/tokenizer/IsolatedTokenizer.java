package dev.nibble.data.tokenizer;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A tokenizer whose native library runs in a Java process of its own, because a part of its file or
 * a text may make the library panic, which ends the process. What ends it is an error of the one
 * text; the next one gets a new process. Callers take turns.
 */
final class IsolatedTokenizer implements Tokenizer {
  private static final String HEAP = "-Xmx1g";

  private final Path file;
  private final String json;
  private final int vocabSize;
  private final SpecialTokens special;
  private final String reason;
  private @Nullable Connection connection;
  private boolean closed;

  /**
   * Opens the tokenizer in a process.
   *
   * @param reason why it needs one, for errors
   * @throws InvalidTokenizer when the library does not take the file, or dies of it
   */
  IsolatedTokenizer(Path file, String json, int vocabSize, SpecialTokens special, String reason) {
    this.file = file;
    this.json = json;
    this.vocabSize = vocabSize;
    this.special = special;
    this.reason = reason;
    connection = connect();
  }

  /**
   * A process and its streams.
   *
   * @param words the first lines of what it says besides
   * @param listener the thread that takes down its words, so that it never waits to be heard
   */
  private record Connection(
      Process process,
      DataInputStream in,
      DataOutputStream out,
      List<String> words,
      Thread listener) {
    private static final int MOST_WORDS = 200;

    static Connection to(Process process) {
      List<String> words = Collections.synchronizedList(new ArrayList<>());
      Thread listener =
          Thread.ofVirtual()
              .start(() -> {
                try (BufferedReader said = process.errorReader(StandardCharsets.UTF_8)) {
                  for (String line = said.readLine(); line != null; line = said.readLine()) {
                    if (words.size() < MOST_WORDS && !line.isBlank()) {
                      words.add(line.strip());
                    }
                  }
                } catch (IOException e) {
                  words.add("its words were lost: " + e.getMessage());
                }
              });
      return new Connection(
          process,
          new DataInputStream(new BufferedInputStream(process.getInputStream(), 1 << 16)),
          new DataOutputStream(new BufferedOutputStream(process.getOutputStream(), 1 << 16)),
          words,
          listener);
    }

    /** Why the process ended. */
    String cause() {
      try {
        listener.join(Duration.ofSeconds(5));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      List<String> lines = List.copyOf(words);
      for (int i = 0; i < lines.size(); i++) {
        if (lines.get(i).startsWith(TokenizerProcess.GAVE_UP)) {
          return lines.get(i).substring(TokenizerProcess.GAVE_UP.length());
        }
        if (lines.get(i).contains("panicked at") && i + 1 < lines.size()) {
          return "it panicked: " + lines.get(i + 1);
        }
      }
      return lines.isEmpty() ? "its process ended" : "its process ended: " + lines.getLast();
    }

    void kill() {
      process.destroyForcibly();
    }
  }

  @FunctionalInterface
  private interface Exchange<T> {
    T with(Connection connection) throws IOException;
  }

  private Connection connect() {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            HEAP,
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:-CreateCoredumpOnCrash",
            "-XX:+SuppressFatalErrorMessage",
            "-Xlog:disable",
            "-Xlog:all=error:stderr",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            TokenizerProcess.class.getName());
    Connection opened;
    try {
      opened = Connection.to(new ProcessBuilder(command).start());
    } catch (IOException e) {
      throw new InvalidTokenizer(
          "%s: no process could be started to run this tokenizer in (%s). It needs one: %s."
              .formatted(file, e.getMessage(), reason),
          e);
    }
    try {
      return exchange(
          opened,
          "opened the file",
          c -> {
            c.out().writeByte(TokenizerProcess.OPEN);
            TokenizerProcess.writeText(c.out(), file.toString());
            TokenizerProcess.writeText(c.out(), json);
            return answered(c);
          });
    } catch (InvalidTokenizer e) {
      opened.kill();
      throw e;
    }
  }

  private static Connection answered(Connection c) throws IOException {
    c.out().flush();
    if (c.in().readByte() == TokenizerProcess.REFUSED) {
      throw new InvalidTokenizer(TokenizerProcess.readText(c.in()));
    }
    return c;
  }

  /** Asks a process, which is gone when it dies of it. */
  private <T> T exchange(Connection to, String deed, Exchange<T> exchange) {
    try {
      return exchange.with(to);
    } catch (IOException e) {
      connection = null;
      String why = to.cause();
      to.kill();
      throw new InvalidTokenizer(
          "%s: the tokenizers library failed when it %s: %s. A likely cause: %s. Fetch the file again, or use another text or tokenizer."
              .formatted(file, deed, why, reason),
          e);
    }
  }

  private synchronized <T> T ask(
      byte request, String deed, boolean flag, Exchange<?> question, Exchange<T> answer) {
    if (closed) {
      throw new IllegalStateException(file + ": the tokenizer is closed");
    }
    Connection open = connection;
    if (open == null) {
      open = connect();
      connection = open;
    }
    return exchange(
        open,
        deed,
        c -> {
          c.out().writeByte(request);
          c.out().writeBoolean(flag);
          question.with(c);
          return answer.with(answered(c));
        });
  }

  private <T> T encoded(byte request, String text, boolean addSpecialTokens, Exchange<T> answer) {
    return ask(
        request,
        "encoded a text of %d characters".formatted(text.length()),
        addSpecialTokens,
        c -> {
          TokenizerProcess.writeText(c.out(), text);
          return c;
        },
        answer);
  }

  @Override
  public int[] ids(String text, boolean addSpecialTokens) {
    return encoded(
        TokenizerProcess.IDS, text, addSpecialTokens, c -> TokenizerProcess.readInts(c.in()));
  }

  @Override
  public Encoding encode(String text, boolean addSpecialTokens) {
    return encoded(
        TokenizerProcess.ENCODE,
        text,
        addSpecialTokens,
        c ->
            new Encoding(
                TokenizerProcess.readInts(c.in()),
                TokenizerProcess.readInts(c.in()),
                TokenizerProcess.readInts(c.in())));
  }

  @Override
  public String decode(int[] ids, boolean skipSpecialTokens) {
    return ask(
        TokenizerProcess.DECODE,
        "decoded %d tokens".formatted(ids.length),
        skipSpecialTokens,
        c -> {
          TokenizerProcess.writeInts(c.out(), ids);
          return c;
        },
        c -> TokenizerProcess.readText(c.in()));
  }

  @Override
  public int vocabSize() {
    return vocabSize;
  }

  @Override
  public SpecialTokens special() {
    return special;
  }

  @Override
  public synchronized void close() {
    closed = true;
    Connection open = connection;
    connection = null;
    if (open != null) {
      open.kill();
      try {
        open.process().waitFor(10, TimeUnit.SECONDS);
        open.in().close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
