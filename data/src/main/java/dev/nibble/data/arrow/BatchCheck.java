package dev.nibble.data.arrow;

import dev.nibble.data.arrow.IpcCheck.Corrupt;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.flatbuf.Buffer;
import org.apache.arrow.flatbuf.DictionaryBatch;
import org.apache.arrow.flatbuf.RecordBatch;
import org.apache.arrow.vector.BufferLayout;
import org.apache.arrow.vector.TypeLayout;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;

/** A check that the columns of a record batch have as many values as their buffers hold. */
final class BatchCheck {
  /** Rows of columns that are null throughout and so take no bytes. */
  private static final long MOST_ROWS_WITHOUT_DATA = 1L << 24;

  /** Compressed buffers may ask for so much in one batch, and so many times the file's size. */
  private static final long ALWAYS_ALLOWED = 1L << 30;

  private static final long MOST_EXPANSION = 64;
  private static final long NOT_COMPRESSED = -1;
  private static final long VIEW_BYTES = 16;

  private final FileChannel channel;
  private final Schema schema;
  private final long memory;
  private final Map<Long, Field> dictionaries = new HashMap<>();

  BatchCheck(FileChannel channel, Schema schema, long fileSize) {
    this.channel = channel;
    this.schema = schema;
    this.memory = memory(fileSize);
    schema.getFields().forEach(this::remember);
  }

  /** Bytes that the values of one batch may take. */
  static long memory(long fileSize) {
    return Math.max(ALWAYS_ALLOWED, fileSize * MOST_EXPANSION);
  }

  private void remember(Field field) {
    if (field.getDictionary() != null) {
      dictionaries.put(field.getDictionary().getId(), field);
    }
    field.getChildren().forEach(this::remember);
  }

  void rows(RecordBatch batch, long body, long bodyLength) throws IOException {
    Walk walk = new Walk(batch, body, bodyLength);
    for (Field field : schema.getFields()) {
      walk.column(field, batch.length());
    }
    walk.end();
  }

  void dictionary(DictionaryBatch batch, long body, long bodyLength) throws IOException {
    Field field = dictionaries.get(batch.id());
    RecordBatch data = batch.data();
    if (field == null || data == null) {
      throw new Corrupt(
          "it has values of a dictionary %d, which no column uses".formatted(batch.id()));
    }
    Walk walk = new Walk(data, body, bodyLength);
    walk.column(field.getName(), field.getType(), field.getChildren(), data.length());
    walk.end();
  }

  /** One pass over the nodes and buffers of a batch, in the order of the schema. */
  private final class Walk {
    private final RecordBatch batch;
    private final long body;
    private final long bodyLength;
    private final boolean compressed;
    private int node;
    private int buffer;
    private int variadic;
    private long asked;

    /** Where the lists of the column that was just read end. */
    private long ends;

    private long stored;

    Walk(RecordBatch batch, long body, long bodyLength) {
      this.batch = batch;
      this.body = body;
      this.bodyLength = bodyLength;
      this.compressed = batch.compression() != null;
      if (batch.length() < 0 || batch.length() > Integer.MAX_VALUE) {
        throw new Corrupt("it has %d rows".formatted(batch.length()));
      }
    }

    void column(Field field, long rows) throws IOException {
      if (field.getDictionary() == null) {
        column(field.getName(), field.getType(), field.getChildren(), rows);
      } else {
        ArrowType codes = field.getDictionary().getIndexType();
        column(
            field.getName(), codes == null ? new ArrowType.Int(32, true) : codes, List.of(), rows);
      }
    }

    /**
     * A column and those within it.
     *
     * @param least values that it must have
     */
    void column(String name, ArrowType type, List<Field> children, long least) throws IOException {
      if (node >= batch.nodesLength()) {
        throw new Corrupt("it has no column '%s'".formatted(name));
      }
      long length = batch.nodes(node).length();
      long nulls = batch.nodes(node).nullCount();
      node++;
      if (length < least || length > Integer.MAX_VALUE || nulls < 0 || nulls > length) {
        throw new Corrupt(
            "column '%s' has %d values, %d of them null; expected %d values"
                .formatted(name, length, nulls, least));
      }
      long rowBytes = buffers(name, type, length);
      long lastOffset = type.isComplex() ? ends : 0;
      if (rowBytes == 0 && length > MOST_ROWS_WITHOUT_DATA) {
        throw new Corrupt("column '%s' has %d values without data".formatted(name, length));
      }
      long items = childLength(type, length);
      for (Field child : children) {
        column(child, Math.max(items, lastOffset));
      }
    }

    private static long childLength(ArrowType type, long length) {
      return switch (type) {
        case ArrowType.Struct s -> length;
        case ArrowType.FixedSizeList l -> {
          if (l.getListSize() < 0) {
            throw new Corrupt("it has lists of %d items".formatted(l.getListSize()));
          }
          yield length * l.getListSize();
        }
        default -> 0;
      };
    }

    /**
     * The buffers of a column.
     *
     * @return bytes of all but the first, which tells what is null
     */
    private long buffers(String name, ArrowType type, long length) throws IOException {
      if (type instanceof ArrowType.Null) {
        return 0;
      }
      ends = 0;
      long bytes = 0;
      for (BufferLayout layout : TypeLayout.getTypeLayout(type).getBufferLayouts()) {
        int at = buffer;
        long size = next(name);
        long bits = layout.getTypeBitWidth();
        long needed =
            switch (layout.getType()) {
              case VALIDITY -> 0;
              case OFFSET -> length == 0 ? 0 : (length + (hasEnd(type) ? 1 : 0)) * bits / Byte.SIZE;
              case TYPE -> length; // a byte each, whatever the layout says
              case SIZE -> length * bits / Byte.SIZE;
              case VIEWS -> length * VIEW_BYTES;
              case DATA -> isVariable(type) ? 0 : (length * bits + Byte.SIZE - 1) / Byte.SIZE;
              default -> 0;
            };
        if (size < needed) {
          throw new Corrupt(
              "column '%s' has %d values in %d bytes, expected at least %d"
                  .formatted(name, length, size, needed));
        }
        if (layout.getType() == BufferLayout.BufferType.OFFSET && needed > 0 && hasEnd(type)) {
          ends = offset(at, length, layout.getTypeBitWidth());
        }
        bytes += layout.getType() == BufferLayout.BufferType.VALIDITY ? 0 : size;
      }
      if (type instanceof ArrowType.Utf8View || type instanceof ArrowType.BinaryView) {
        bytes += moreBuffers(name);
      }
      return bytes;
    }

    /** Where the last list ends; 0 when it is compressed. */
    private long offset(int index, long length, int bits) throws IOException {
      if (compressed) {
        return 0;
      }
      int bytes = bits / Byte.SIZE;
      long at = body + batch.buffers(index).offset() + length * bytes;
      ByteBuffer last = IpcCheck.read(channel, at, bytes);
      return bytes == Integer.BYTES ? last.getInt(0) : last.getLong(0);
    }

    /** Whether there is an offset behind the last value, where it ends. */
    private static boolean hasEnd(ArrowType type) {
      return !(type instanceof ArrowType.Union
          || type instanceof ArrowType.ListView
          || type instanceof ArrowType.LargeListView);
    }

    private static boolean isVariable(ArrowType type) {
      return type instanceof ArrowType.Utf8
          || type instanceof ArrowType.LargeUtf8
          || type instanceof ArrowType.Binary
          || type instanceof ArrowType.LargeBinary;
    }

    private long moreBuffers(String name) throws IOException {
      if (variadic >= batch.variadicBufferCountsLength()) {
        throw new Corrupt("column '%s' does not say how many buffers it has".formatted(name));
      }
      long count = batch.variadicBufferCounts(variadic++);
      long bytes = 0;
      for (long i = 0; i < count; i++) {
        bytes += next(name);
      }
      return bytes;
    }

    /** The size of the next buffer, uncompressed. */
    private long next(String name) throws IOException {
      if (buffer >= batch.buffersLength()) {
        throw new Corrupt("column '%s' has no data".formatted(name));
      }
      Buffer b = batch.buffers(buffer++);
      if (b.offset() < 0 || b.length() < 0 || b.length() > bodyLength - b.offset()) {
        throw new Corrupt(
            "column '%s' has %d bytes at %d of %d"
                .formatted(name, b.length(), b.offset(), bodyLength));
      }
      if (!compressed || b.length() < Long.BYTES) {
        return b.length();
      }
      long size = IpcCheck.read(channel, body + b.offset(), Long.BYTES).getLong(0);
      size = size == NOT_COMPRESSED ? b.length() - Long.BYTES : size;
      stored += b.length();
      asked += size;
      if (size < 0 || asked < 0 || asked > memory || stored > bodyLength) {
        throw new Corrupt(
            "column '%s' asks for %d bytes, which is more than the file can hold"
                .formatted(name, size));
      }
      return size;
    }

    void end() {
      if (node != batch.nodesLength() || buffer != batch.buffersLength()) {
        throw new Corrupt("it has more columns than the schema");
      }
    }
  }
}
