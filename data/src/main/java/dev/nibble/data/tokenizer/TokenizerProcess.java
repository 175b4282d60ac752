package dev.nibble.data.tokenizer;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.Scanner;
import java.util.concurrent.TimeUnit;

/**
 * The program of the process in which {@link IsolatedTokenizer} runs the native library. It reads
 * requests from its input and writes answers to its output, one after another, until the input
 * ends. It ends itself when a request takes too long or too much memory.
 */
final class TokenizerProcess {
  /** What is asked for; the first request is to open a tokenizer. */
  static final byte OPEN = 0;

  static final byte IDS = 1;
  static final byte ENCODE = 2;
  static final byte DECODE = 3;

  /** What comes back: the answer, or why there is none. */
  static final byte DONE = 0;

  static final byte REFUSED = 1;

  /** Begins the last line of a process that ended itself. */
  static final String GAVE_UP = "gave up: ";

  private static final long SECONDS = 20;
  private static final long NANOS_PER_CHAR = 20_000;
  private static final long MOST_MEMORY = 3L << 30;
  private static final long PAGE = 4096;

  /** When the request that is worked on must be done, by {@link System#nanoTime}. */
  private volatile long deadline;

  private volatile boolean working;

  private TokenizerProcess() {}

  static void main() throws IOException {
    PrintStream answers = System.out;
    System.setOut(System.err);
    TokenizerProcess process = new TokenizerProcess();
    Thread.ofPlatform().daemon().start(process::watch);
    try (DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(answers, 1 << 16))) {
      process.serve(in, out);
    }
  }

  private void serve(DataInputStream in, DataOutputStream out) throws IOException {
    NativeTokenizer tokenizer = null;
    while (true) {
      byte request;
      try {
        request = in.readByte();
      } catch (EOFException e) {
        return;
      }
      try {
        if (request == OPEN || tokenizer == null) {
          tokenizer = open(in);
          out.writeByte(DONE);
        } else {
          answer(request, tokenizer, in, out);
        }
      } catch (RuntimeException e) {
        out.writeByte(REFUSED);
        writeText(out, e.getMessage() == null ? e.toString() : e.getMessage());
      }
      working = false;
      out.flush();
    }
  }

  private NativeTokenizer open(DataInputStream in) throws IOException {
    Path file = Path.of(readText(in));
    String json = readText(in);
    begin(json.length());
    SpecialTokens none =
        new SpecialTokens(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), List.of());
    return new NativeTokenizer(file, json, 0, none);
  }

  private void answer(
      byte request, NativeTokenizer tokenizer, DataInputStream in, DataOutputStream out)
      throws IOException {
    boolean special = in.readBoolean();
    if (request == DECODE) {
      int[] ids = readInts(in);
      begin(ids.length);
      String text = tokenizer.decode(ids, special);
      out.writeByte(DONE);
      writeText(out, text);
      return;
    }
    String text = readText(in);
    begin(text.length());
    if (request == IDS) {
      int[] ids = tokenizer.ids(text, special);
      out.writeByte(DONE);
      writeInts(out, ids);
    } else {
      Encoding encoding = tokenizer.encode(text, special);
      out.writeByte(DONE);
      writeInts(out, encoding.ids());
      writeInts(out, encoding.starts());
      writeInts(out, encoding.ends());
    }
  }

  private void begin(int length) {
    deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS) + length * NANOS_PER_CHAR;
    working = true;
  }

  private void watch() {
    try {
      while (true) {
        Thread.sleep(20);
        if (working && System.nanoTime() - deadline > 0) {
          giveUp("it took longer than " + SECONDS + " seconds");
        }
        if (residentBytes() > MOST_MEMORY) {
          giveUp("it needed more than " + (MOST_MEMORY >> 30) + " GiB of memory");
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void giveUp(String why) {
    System.err.println(GAVE_UP + why);
    System.err.flush();
    Runtime.getRuntime().halt(3);
  }

  /** Memory of this process, or 0 where the system does not tell in this way. */
  private static long residentBytes() {
    try {
      try (Scanner pages = new Scanner(Path.of("/proc/self/statm"), StandardCharsets.US_ASCII)) {
        pages.nextLong();
        return pages.nextLong() * PAGE;
      }
    } catch (IOException | RuntimeException e) {
      return 0;
    }
  }

  /** UTF-16, so that what is no valid text arrives as it is. */
  static void writeText(DataOutputStream out, String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(text.length() * Character.BYTES);
    bytes.asCharBuffer().put(text);
    out.writeInt(text.length());
    out.write(bytes.array());
  }

  static String readText(DataInputStream in) throws IOException {
    byte[] bytes = new byte[in.readInt() * Character.BYTES];
    in.readFully(bytes);
    return ByteBuffer.wrap(bytes).asCharBuffer().toString();
  }

  static void writeInts(DataOutputStream out, int[] values) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Integer.BYTES);
    bytes.asIntBuffer().put(values);
    out.writeInt(values.length);
    out.write(bytes.array());
  }

  static int[] readInts(DataInputStream in) throws IOException {
    int[] values = new int[in.readInt()];
    byte[] bytes = new byte[values.length * Integer.BYTES];
    in.readFully(bytes);
    ByteBuffer.wrap(bytes).asIntBuffer().get(values);
    return values;
  }
}
