package dev.nibble.data.arrow;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.flatbuf.Block;
import org.apache.arrow.flatbuf.DictionaryBatch;
import org.apache.arrow.flatbuf.Field;
import org.apache.arrow.flatbuf.Footer;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.MessageHeader;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.flatbuf.Schema;
import org.jspecify.annotations.Nullable;

/**
 * A check of all lengths and offsets in an Arrow IPC file. The Arrow library allocates and loops by
 * the numbers that it finds; here each is compared with what the file holds before the library sees
 * it. Only messages are read, not the values behind them.
 */
final class IpcCheck {
  private static final int CONTINUES = -1;
  private static final int MOST_FIELDS = 100_000;
  private static final int DEEPEST = 64;

  /** The end of the random-access format: the footer's length and the magic bytes. */
  private static final int TRAILER = 10;

  private static final int MAGIC = 6;

  private final FileChannel channel;
  private final long size;
  private final List<IpcLayout.Place> messages = new ArrayList<>();
  private org.apache.arrow.vector.types.pojo.@Nullable Schema columns;
  private @Nullable BatchCheck batches;
  private int fields;
  private int records;

  private IpcCheck(FileChannel channel) throws IOException {
    this.channel = channel;
    this.size = channel.size();
  }

  /** Why a file cannot be read: where, and what is wrong. */
  static final class Corrupt extends NibbleException {
    private static final long serialVersionUID = 1L;

    Corrupt(String message) {
      super(Fault.USER, message);
    }

    Corrupt(String message, Throwable cause) {
      super(Fault.USER, message, cause);
    }
  }

  /**
   * Checks a file; the channel's position stays where it is.
   *
   * @param random whether it is of the random-access format
   * @return where its messages are
   * @throws Corrupt when the library cannot read it within the bounds of the file
   */
  static IpcLayout check(FileChannel channel, boolean random) throws IOException {
    IpcCheck check = new IpcCheck(channel);
    try {
      if (random) {
        check.file();
      } else {
        check.stream();
      }
      return check.layout();
    } catch (IndexOutOfBoundsException
        | IllegalArgumentException
        | UnsupportedOperationException
        | NegativeArraySizeException
        | ArithmeticException
        | NullPointerException
        | AssertionError e) {
      // A table that points out of its message.
      throw new Corrupt(check.place() + "its description is damaged", e);
    }
  }

  private IpcLayout layout() {
    if (columns == null) {
      throw new Corrupt("it has no schema");
    }
    return new IpcLayout(columns, messages);
  }

  private String place() {
    return records == 0 ? "" : "record batch " + records + ": ";
  }

  private void stream() throws IOException {
    long at = 0;
    while (at + Integer.BYTES <= size) {
      Prefix prefix = prefix(at);
      if (prefix.length() == 0) {
        return;
      }
      long start = at + prefix.size();
      Message message = Message.getRootAsMessage(read(start, prefix.length()));
      long body = start + prefix.length();
      if (message.headerType() == MessageHeader.RecordBatch) {
        records++;
      }
      within(body, message.bodyLength());
      if (batches == null) {
        if (message.headerType() != MessageHeader.Schema) {
          throw new Corrupt("it does not begin with a schema");
        }
        schema((Schema) message.header(new Schema()));
      } else {
        message(message, new IpcLayout.Place(start, prefix.length(), body, message.bodyLength()));
      }
      at = body + message.bodyLength();
    }
  }

  private void file() throws IOException {
    if (size < TRAILER + MAGIC) {
      throw new Corrupt("it is cut short");
    }
    ByteBuffer trailer = read(size - TRAILER, TRAILER);
    int length = trailer.getInt(0);
    if (length <= 0 || length > size - TRAILER - MAGIC) {
      throw new Corrupt("its footer should have %d bytes in a file of %d".formatted(length, size));
    }
    Footer footer = Footer.getRootAsFooter(read(size - TRAILER - length, length));
    Schema schema = footer.schema();
    if (schema == null) {
      throw new Corrupt("its footer has no schema");
    }
    schema(schema);
    bounded("dictionaries", footer.dictionariesLength(), length);
    for (int i = 0; i < footer.dictionariesLength(); i++) {
      block(footer.dictionaries(i));
    }
    bounded("record batches", footer.recordBatchesLength(), length);
    for (int i = 0; i < footer.recordBatchesLength(); i++) {
      records = i + 1;
      block(footer.recordBatches(i));
    }
  }

  private void block(Block block) throws IOException {
    within(block.offset(), block.metaDataLength());
    long body = block.offset() + block.metaDataLength();
    within(body, block.bodyLength());
    Prefix prefix = prefix(block.offset());
    int length = block.metaDataLength() - prefix.size();
    if (length <= 0) {
      throw new Corrupt(place() + "its message is empty");
    }
    long start = block.offset() + prefix.size();
    message(
        Message.getRootAsMessage(read(start, length)),
        new IpcLayout.Place(start, length, body, block.bodyLength()));
  }

  private void message(Message message, IpcLayout.Place at) throws IOException {
    BatchCheck check = batches;
    if (check == null) {
      throw new Corrupt("it has no schema");
    }
    try {
      switch (message.headerType()) {
        case MessageHeader.RecordBatch ->
            check.rows((RecordBatch) message.header(new RecordBatch()), at.body(), at.bodyLength());
        case MessageHeader.DictionaryBatch ->
            check.dictionary(
                (DictionaryBatch) message.header(new DictionaryBatch()),
                at.body(),
                at.bodyLength());
        default -> throw new Corrupt("it has a message of kind " + message.headerType());
      }
    } catch (Corrupt e) {
      throw new Corrupt(place() + e.getMessage(), e);
    }
    messages.add(at);
  }

  /** Fields that share their children would take forever, and ones within themselves never end. */
  private void schema(Schema schema) throws IOException {
    for (int i = 0; i < schema.fieldsLength(); i++) {
      field(schema.fields(i), 0);
    }
    columns = org.apache.arrow.vector.types.pojo.Schema.convertSchema(schema);
    batches = new BatchCheck(channel, columns, size);
  }

  private void field(Field field, int depth) throws IOException {
    if (++fields > MOST_FIELDS || depth > DEEPEST) {
      throw new Corrupt(
          "its schema has more than %d fields or %d levels".formatted(MOST_FIELDS, DEEPEST));
    }
    for (int i = 0; i < field.childrenLength(); i++) {
      field(field.children(i), depth + 1);
    }
  }

  /** The bytes in front of a message, and its length. */
  private record Prefix(int size, int length) {}

  private Prefix prefix(long at) throws IOException {
    int first = read(at, Integer.BYTES).getInt(0);
    Prefix prefix =
        first == CONTINUES
            ? new Prefix(2 * Integer.BYTES, read(at + Integer.BYTES, Integer.BYTES).getInt(0))
            : new Prefix(Integer.BYTES, first);
    return prefix;
  }

  private ByteBuffer read(long at, int length) throws IOException {
    within(at, length);
    return read(channel, at, length);
  }

  static ByteBuffer read(FileChannel channel, long at, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, at + bytes.position()) < 0) {
        throw new EOFException("it is cut short");
      }
    }
    return bytes.flip();
  }

  private void within(long at, long length) {
    if (at < 0 || length < 0 || at > size || length > size - at) {
      throw new Corrupt(
          "%sit refers to %d bytes at %d of a file of %d bytes; it is cut short or damaged"
              .formatted(place(), length, at, size));
    }
  }

  private static void bounded(String what, int count, int bytes) {
    if (count < 0 || count > bytes) {
      throw new Corrupt("its footer lists %d %s".formatted(count, what));
    }
  }
}
