package dev.nibble.cli.terminal;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** UTF-8 text on its way to a terminal or a log, whose control characters are shown. */
public final class HarmlessOutput extends OutputStream {
  private static final int MOST_BYTES_OF_A_CHARACTER = 4;

  private final PrintStream to;
  private final CharsetDecoder decoder =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);

  /** The begin of a character whose end has not come yet. */
  private final byte[] begun = new byte[MOST_BYTES_OF_A_CHARACTER];

  private int begunBytes;

  private HarmlessOutput(PrintStream to) {
    this.to = to;
  }

  /** A stream for texts of many lines, written at once and to {@code to}. */
  public static PrintStream to(PrintStream to) {
    return new PrintStream(new HarmlessOutput(to), true, StandardCharsets.UTF_8);
  }

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public synchronized void write(byte[] bytes, int offset, int length) {
    ByteBuffer in =
        ByteBuffer.allocate(begunBytes + length)
            .put(begun, 0, begunBytes)
            .put(bytes, offset, length)
            .flip();
    CharBuffer out = CharBuffer.allocate(in.remaining());
    decoder.decode(in, out, false);
    begunBytes = in.remaining();
    in.get(begun, 0, begunBytes);
    to.print(ControlCharacters.shownInLines(out.flip().toString()));
  }

  @Override
  public void flush() {
    to.flush();
  }
}
