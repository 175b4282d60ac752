package dev.nibble.data.arrow;

import dev.nibble.data.json.InvalidJson;
import dev.nibble.data.json.JsonReader;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Opaque;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DateMilliVector;
import org.apache.arrow.vector.Decimal256Vector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.DurationVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.FixedSizeBinaryVector;
import org.apache.arrow.vector.Float2Vector;
import org.apache.arrow.vector.FloatingPointVector;
import org.apache.arrow.vector.LargeVarCharVector;
import org.apache.arrow.vector.NullVector;
import org.apache.arrow.vector.TimeMicroVector;
import org.apache.arrow.vector.TimeMilliVector;
import org.apache.arrow.vector.TimeNanoVector;
import org.apache.arrow.vector.TimeSecVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.UInt8Vector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.ViewVarCharVector;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.jspecify.annotations.Nullable;

/**
 * Values of columns that hold neither lists nor structs. What JSON knows becomes that (text,
 * numbers, booleans); dates, times, decimals and UUIDs become the text that Python's {@code str}
 * gives; bytes and calendar intervals have no text form and become {@link Opaque}.
 */
final class ScalarValues {
  /** Where a field says what a text or bytes stand for. */
  private static final String EXTENSION = "ARROW:extension:name";

  private static final int UUID_BYTES = 16;

  private ScalarValues() {}

  static ColumnReader.Values of(FieldVector vector, Path file) {
    String extension = vector.getField().getMetadata().getOrDefault(EXTENSION, "");
    return switch (vector) {
      case VarCharVector v -> text(i -> utf8(v.get(i)), extension, vector, file);
      case LargeVarCharVector v -> text(i -> utf8(v.get(i)), extension, vector, file);
      case ViewVarCharVector v -> text(i -> utf8(v.get(i)), extension, vector, file);
      case BitVector v -> i -> v.get(i) != 0;
      case BigIntVector v -> v::get;
      case UInt8Vector v -> v::getObjectNoOverflow;
      case BaseIntVector v -> v::getValueAsLong;
      case Float2Vector v -> i -> (double) v.getValueAsFloat(i);
      case FloatingPointVector v -> v::getValueAsDouble;
      case DecimalVector v -> i -> v.getObjectNotNull(i).toString();
      case Decimal256Vector v -> i -> v.getObjectNotNull(i).toString();
      case DateDayVector v -> i -> PythonText.date(v.get(i));
      case DateMilliVector v ->
          i -> PythonText.date(Math.floorDiv(v.get(i), TimeUnit.DAYS.toMillis(1)));
      case TimeSecVector v -> i -> PythonText.time(TimeUnit.SECONDS.toNanos(v.get(i)));
      case TimeMilliVector v -> i -> PythonText.time(TimeUnit.MILLISECONDS.toNanos(v.get(i)));
      case TimeMicroVector v -> i -> PythonText.time(TimeUnit.MICROSECONDS.toNanos(v.get(i)));
      case TimeNanoVector v -> i -> PythonText.time(v.get(i));
      case TimeStampVector v -> timestamp(v);
      case DurationVector v -> i -> PythonText.duration(v.getObjectNotNull(i));
      case NullVector _ -> _ -> null;
      case FixedSizeBinaryVector v
          when extension.equals("arrow.uuid") && v.getByteWidth() == UUID_BYTES ->
          i -> PythonText.uuid(v.get(i));
      default -> {
        Opaque opaque = new Opaque(vector.getField().getType().getTypeID().name());
        yield _ -> opaque;
      }
    };
  }

  private static ColumnReader.Values timestamp(TimeStampVector vector) {
    ArrowType.Timestamp type = (ArrowType.Timestamp) vector.getField().getType();
    TimeUnit unit =
        switch (type.getUnit()) {
          case SECOND -> TimeUnit.SECONDS;
          case MILLISECOND -> TimeUnit.MILLISECONDS;
          case MICROSECOND -> TimeUnit.MICROSECONDS;
          case NANOSECOND -> TimeUnit.NANOSECONDS;
        };
    String zone = type.getTimezone();
    return zone == null || zone.isEmpty()
        ? i -> PythonText.timestamp(vector.get(i), unit)
        : i -> PythonText.timestamp(vector.get(i), unit, zone);
  }

  /** Text, or the value that it stands for where the field says that it is JSON. */
  private static ColumnReader.Values text(
      IntFunction<String> text, String extension, FieldVector vector, Path file) {
    return extension.equals("arrow.json") ? i -> json(text.apply(i), vector, file) : text::apply;
  }

  private static @Nullable Object json(String text, FieldVector vector, Path file) {
    try {
      return JsonReader.parse(text);
    } catch (InvalidJson e) {
      throw new InvalidDataset(
          "%s: column '%s' is of the type JSON, but holds text that is not: %s, at line %d, column %d of it. Write the file again."
              .formatted(file, vector.getName(), e.problem(), e.line(), e.column()),
          e);
    }
  }

  private static String utf8(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
