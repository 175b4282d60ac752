package dev.nibble.data.arrow;

import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.vector.BaseLargeVariableWidthVector;
import org.apache.arrow.vector.BaseVariableWidthVector;
import org.apache.arrow.vector.BaseVariableWidthViewVector;
import org.apache.arrow.vector.ExtensionTypeVector;
import org.apache.arrow.vector.FieldVector;

/**
 * A check that texts lie within their buffers. The Arrow library makes room for a text by the
 * difference of two offsets before it looks whether there is one.
 */
final class OffsetCheck {
  /** A view of a text: its length, then the text itself or a prefix, a buffer and an offset. */
  private static final int VIEW_BYTES = 16;

  private static final int LONGEST_WITHIN_VIEW = 12;

  private OffsetCheck() {}

  /**
   * Checks a column and those within it.
   *
   * @throws IllegalArgumentException when an offset points elsewhere
   */
  static void of(FieldVector vector) {
    int count = vector.getValueCount();
    switch (vector) {
      case BaseVariableWidthVector v when count > 0 ->
          ascending(v, v.getOffsetBuffer(), Integer.BYTES, v.getDataBuffer().capacity());
      case BaseLargeVariableWidthVector v when count > 0 ->
          ascending(v, v.getOffsetBuffer(), Long.BYTES, v.getDataBuffer().capacity());
      case BaseVariableWidthViewVector v -> views(v);
      case ExtensionTypeVector<?> v when v.getUnderlyingVector() instanceof FieldVector storage ->
          of(storage);
      default -> vector.getChildrenFromFields().forEach(OffsetCheck::of);
    }
  }

  private static void ascending(FieldVector vector, ArrowBuf offsets, int bytes, long end) {
    long last = 0;
    for (long i = 0; i <= vector.getValueCount(); i++) {
      long offset = bytes == Integer.BYTES ? offsets.getInt(i * bytes) : offsets.getLong(i * bytes);
      if (offset < last || offset > end) {
        throw misplaced(vector, i);
      }
      last = offset;
    }
  }

  private static void views(BaseVariableWidthViewVector vector) {
    ArrowBuf views = vector.getDataBuffer();
    for (int i = 0; i < vector.getValueCount(); i++) {
      if (vector.isNull(i)) {
        continue;
      }
      long at = (long) i * VIEW_BYTES;
      int length = views.getInt(at);
      if (length < 0) {
        throw misplaced(vector, i);
      }
      if (length > LONGEST_WITHIN_VIEW) {
        int buffer = views.getInt(at + 2 * Integer.BYTES);
        int offset = views.getInt(at + 3 * Integer.BYTES);
        boolean exists = buffer >= 0 && buffer < vector.getDataBuffers().size();
        if (!exists
            || offset < 0
            || length > vector.getDataBuffers().get(buffer).capacity() - offset) {
          throw misplaced(vector, i);
        }
      }
    }
  }

  private static IllegalArgumentException misplaced(FieldVector vector, long index) {
    return new IllegalArgumentException(
        "text %d of column '%s' lies outside of the column's data"
            .formatted(index, vector.getName()));
  }
}
