package dev.nibble.data.arrow;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;
import org.apache.arrow.flatbuf.Message;
import org.apache.arrow.flatbuf.MessageHeader;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.ForeignAllocation;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Reader of an Arrow IPC file, of either format, by the layout that a check of it found. The values
 * of a large record batch are mapped: they stay in the file and take no memory of their own.
 *
 * <p>Nobody may write to mapped values, so what the Arrow library may write to is copied: values of
 * dictionaries, to which it appends; compressed ones, of which it passes on some as they are; and
 * types whose children it fills up. Of the other types the check made sure that there is nothing to
 * fill up.
 *
 * <p>Where a file gets shorter while its values are mapped, the JVM turns the fault into an {@link
 * InternalError}, or late into none: {@link #requireWhole()} tells.
 */
final class IpcReader extends ArrowReader {
  /** Smaller batches are copied, which takes less time than mapping them. */
  static final long LEAST_MAPPED = 1L << 20;

  private static final int MOST_AT_ONCE = 1 << 30;

  private final FileChannel channel;
  private final IpcLayout layout;
  private final long leastMapped;
  private final boolean isMappable;
  private final long size;
  private int next;
  private boolean isMapped;

  /**
   * @param channel of the file, which stays open when this is closed
   * @param leastMapped bytes from which on a batch is mapped
   */
  IpcReader(FileChannel channel, IpcLayout layout, BufferAllocator allocator, long leastMapped)
      throws IOException {
    super(allocator, new Codecs());
    this.channel = channel;
    this.layout = layout;
    this.leastMapped = leastMapped;
    this.isMappable = isMappable(layout.schema().getFields());
    this.size = channel.size();
  }

  private static boolean isMappable(List<Field> fields) {
    return fields.stream()
        .allMatch(field ->
            switch (field.getType()) {
              case ArrowType.Union _,
                  ArrowType.RunEndEncoded _,
                  ArrowType.ListView _,
                  ArrowType.LargeListView _ ->
                  false;
              default -> isMappable(field.getChildren());
            });
  }

  @Override
  protected Schema readSchema() {
    return layout.schema();
  }

  @Override
  public boolean loadNextBatch() throws IOException {
    prepareLoadNextBatch();
    while (next < layout.messages().size()) {
      IpcLayout.Place at = layout.messages().get(next++);
      Message message = Message.getRootAsMessage(IpcCheck.read(channel, at.start(), at.length()));
      if (message.headerType() == MessageHeader.RecordBatch) {
        loadRecordBatch(MessageSerializer.deserializeRecordBatch(message, body(message, at)));
        return true;
      }
      loadDictionary(MessageSerializer.deserializeDictionaryBatch(message, copied(at)));
    }
    return false;
  }

  private ArrowBuf body(Message message, IpcLayout.Place at) throws IOException {
    RecordBatch batch = (RecordBatch) message.header(new RecordBatch());
    isMapped = isMappable && batch.compression() == null && at.bodyLength() >= leastMapped;
    return isMapped ? mapped(at) : copied(at);
  }

  @SuppressWarnings("MustBeClosedChecker") // closed with the last buffer of the batch
  private ArrowBuf mapped(IpcLayout.Place at) throws IOException {
    Arena mapping = Arena.ofShared();
    try {
      long address =
          channel.map(FileChannel.MapMode.READ_ONLY, at.body(), at.bodyLength(), mapping).address();
      return allocator.wrapForeignAllocation(
          new ForeignAllocation(at.bodyLength(), address) {
            @Override
            protected void release0() {
              mapping.close();
            }
          });
    } catch (IOException | RuntimeException e) {
      if (mapping.scope().isAlive()) {
        mapping.close();
      }
      throw e;
    }
  }

  private ArrowBuf copied(IpcLayout.Place at) throws IOException {
    long length = at.bodyLength();
    ArrowBuf body = allocator.buffer(length);
    try {
      for (long done = 0; done < length; ) {
        ByteBuffer part = body.nioBuffer(done, (int) Math.min(MOST_AT_ONCE, length - done));
        int read = channel.read(part, at.body() + done);
        if (read < 0) {
          throw new EOFException("it is cut short");
        }
        done += read;
      }
      body.writerIndex(length);
      return body;
    } catch (IOException | RuntimeException e) {
      body.close();
      throw e;
    }
  }

  /**
   * Makes sure that values which were read are those of the file.
   *
   * @throws EOFException when the file has become shorter since it was checked
   */
  void requireWhole() throws IOException {
    if (isMapped && channel.size() < size) {
      throw new EOFException("it was cut short while it was read");
    }
  }

  @Override
  public long bytesRead() {
    return next == 0
        ? 0
        : layout.messages().get(next - 1).body() + layout.messages().get(next - 1).bodyLength();
  }

  @Override
  protected void closeReadSource() {}
}
