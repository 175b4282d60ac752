package dev.nibble.data.text;

import com.github.luben.zstd.ZstdInputStream;
import dev.nibble.data.natives.Zstandard;
import dev.nibble.data.rows.InvalidDataset;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/**
 * The characters of a text file: UTF-8, or what its byte order mark says, as they are or compressed
 * by gzip or Zstandard. At most one line is given at a time, so that the line that a reader is in
 * is known, and can be given again. A line ends with a line feed, a carriage return, or both.
 */
final class TextLines extends Reader {
  private static final int BUFFER = 1 << 16;

  private final Path file;
  private final InputStream in;
  private final CharsetDecoder decoder;
  private final ByteBuffer bytes = ByteBuffer.allocate(BUFFER).flip();
  private final CharBuffer chars = CharBuffer.allocate(BUFFER).flip();
  private boolean ended;
  private boolean malformed;
  private long line;
  private long column;

  /** Where the current line begins in {@code chars}; -1 when that is gone. */
  private int lineStart = -1;

  private boolean atLineEnd = true;
  private final char[] skipped = new char[1024];

  private TextLines(Path file, InputStream in, Charset charset) {
    this.file = file;
    this.in = in;
    this.decoder =
        charset
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
  }

  /**
   * Opens a file.
   *
   * @throws InvalidDataset when it cannot be read, or is not UTF-8 as far as its beginning shows
   */
  static TextLines open(Path file) {
    InputStream in;
    try {
      in = new BufferedInputStream(Files.newInputStream(file), BUFFER);
    } catch (IOException e) {
      throw new InvalidDataset(file + ": cannot be opened: " + e.getMessage(), e);
    }
    try {
      in = unpacked(in);
      Charset charset = charset(file, in);
      return new TextLines(file, in, charset);
    } catch (IOException e) {
      close(in);
      throw cutShort(file, 1, e);
    } catch (InvalidDataset e) {
      close(in);
      throw e;
    }
  }

  private static void close(InputStream in) {
    try {
      in.close();
    } catch (IOException e) {
      // Nothing was written; an error while reading has been reported already.
    }
  }

  private static InputStream unpacked(InputStream in) throws IOException {
    int head = ByteBuffer.wrap(peek(in, 4)).getInt();
    if (head >>> 16 == 0x1f8b) {
      return new BufferedInputStream(new GZIPInputStream(in, BUFFER), BUFFER);
    }
    if (head == 0x28b52ffd) {
      Zstandard.load();
      return new BufferedInputStream(new ZstdInputStream(in), BUFFER);
    }
    return in;
  }

  /** Skips the byte order mark. */
  private static Charset charset(Path file, InputStream in) throws IOException {
    byte[] head = peek(in, 4);
    int first = head[0] & 0xff;
    int second = head[1] & 0xff;
    if (first == 0xef && second == 0xbb && (head[2] & 0xff) == 0xbf) {
      in.skipNBytes(3);
    } else if (first == 0xff && second == 0xfe) {
      in.skipNBytes(2);
      return StandardCharsets.UTF_16LE;
    } else if (first == 0xfe && second == 0xff) {
      in.skipNBytes(2);
      return StandardCharsets.UTF_16BE;
    } else if ((first == 0) != (second == 0)) {
      throw new InvalidDataset(
          "%s, line 1: expected UTF-8, but every other byte is 0, as in UTF-16 without a byte order mark. Convert it, for example with: iconv -f %s -t UTF-8"
              .formatted(file, first == 0 ? "UTF-16BE" : "UTF-16LE"));
    }
    return StandardCharsets.UTF_8;
  }

  /** The next bytes, 0 beyond the end. */
  private static byte[] peek(InputStream in, int count) throws IOException {
    in.mark(count);
    byte[] head = new byte[count];
    in.readNBytes(head, 0, count);
    in.reset();
    return head;
  }

  private static InvalidDataset cutShort(Path file, long line, IOException e) {
    return new InvalidDataset(
        "%s, line %d: cannot be read on: the compressed data are cut short or damaged, or the disk fails. Fetch or write the file again."
            .formatted(file, line),
        e);
  }

  /** The number of the line that the latest character is in, from 1. */
  long line() {
    return Math.max(1, line);
  }

  /** Goes to the next line that begins with a character, or to the end. */
  void nextLine(char first) {
    toLineEnd();
    while (fill() && chars.get(chars.position()) != first) {
      read(skipped, 0, skipped.length);
      toLineEnd();
    }
  }

  private void toLineEnd() {
    while (!atLineEnd && read(skipped, 0, skipped.length) >= 0) {}
  }

  /** Whether the current line begins with a character and is short enough to be given again. */
  boolean lineBegins(char first) {
    return lineStart >= 0 && chars.get(lineStart) == first;
  }

  /** Gives the current line again. */
  void restartLine() {
    chars.position(lineStart);
    line--;
    atLineEnd = true;
  }

  @Override
  public int read(char[] buffer, int offset, int length) {
    if (!fill()) {
      return -1;
    }
    int from = chars.position();
    if (atLineEnd) {
      line++;
      column = 0;
      lineStart = from;
      atLineEnd = false;
    }
    int n = Math.min(length, chars.remaining());
    for (int i = 0; i < n; i++) {
      char c = chars.get(from + i);
      if (c == '\r' && i > 0 && from + i + 1 == chars.limit()) {
        n = i; // next time, with what follows it
      } else if (c == '\n' || (c == '\r' && !isLineFeed(from + i + 1))) {
        n = i + 1;
        atLineEnd = true;
      }
    }
    chars.get(buffer, offset, n);
    column += n;
    return n;
  }

  private boolean isLineFeed(int at) {
    return at < chars.limit() && chars.get(at) == '\n';
  }

  /** Whether there is a character; with a carriage return, what follows it is there too. */
  private boolean fill() {
    while (!chars.hasRemaining() || isLoneReturn()) {
      boolean none = !chars.hasRemaining();
      if (none && malformed) {
        throw notUtf8();
      }
      if (malformed || (ended && !bytes.hasRemaining())) {
        return !none;
      }
      decode();
    }
    return true;
  }

  private boolean isLoneReturn() {
    return chars.remaining() == 1 && chars.get(chars.position()) == '\r';
  }

  /** Decodes more, keeping the current line as far as there is room. */
  private void decode() {
    int keep = Math.max(0, lineStart);
    if (lineStart < 0 || chars.capacity() - (chars.limit() - keep) < 2) {
      keep = chars.position();
      lineStart = -1;
    } else {
      lineStart = 0;
    }
    int given = chars.position() - keep;
    chars.position(keep).compact();
    readBytes();
    malformed = decoder.decode(bytes, chars, ended).isError();
    chars.flip().position(given);
  }

  private void readBytes() {
    bytes.compact();
    try {
      int n = in.read(bytes.array(), bytes.position(), bytes.remaining());
      if (n < 0) {
        ended = true;
      } else {
        bytes.position(bytes.position() + n);
      }
    } catch (IOException e) {
      throw cutShort(file, line(), e);
    } finally {
      bytes.flip();
    }
  }

  private InvalidDataset notUtf8() {
    return new InvalidDataset(
        "%s, line %d, column %d: expected UTF-8, got the byte 0x%02X. The file may be in Windows-1252 or ISO-8859-1; convert it, for example with: iconv -f WINDOWS-1252 -t UTF-8"
            .formatted(
                file,
                atLineEnd ? line + 1 : line(),
                atLineEnd ? 1 : column + 1,
                bytes.get(bytes.position())));
  }

  @Override
  public void close() {
    close(in);
  }
}
