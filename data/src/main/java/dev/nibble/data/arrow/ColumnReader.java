package dev.nibble.data.arrow;

import dev.nibble.data.rows.InvalidDataset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float2Vector;
import org.apache.arrow.vector.FloatingPointVector;
import org.apache.arrow.vector.LargeVarCharVector;
import org.apache.arrow.vector.NullVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.ViewVarCharVector;
import org.apache.arrow.vector.complex.FixedSizeListVector;
import org.apache.arrow.vector.complex.LargeListVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.jspecify.annotations.Nullable;

/**
 * Reader of one Arrow vector as plain Java values.
 *
 * @param name of the column
 * @param nulls the vector that knows which entries are null
 * @param values reads an entry that is not null
 */
record ColumnReader(String name, FieldVector nulls, Values values) {
  @FunctionalInterface
  interface Values {
    @Nullable Object at(int index);
  }

  @Nullable Object read(int index) {
    return nulls.isNull(index) ? null : values.at(index);
  }

  static ColumnReader of(FieldVector vector, DictionaryProvider dictionaries, Path file) {
    return new ColumnReader(vector.getName(), vector, values(vector, dictionaries, file));
  }

  private static Values values(FieldVector vector, DictionaryProvider dictionaries, Path file) {
    DictionaryEncoding encoding = vector.getField().getDictionary();
    if (encoding != null) {
      return dictionaryValues(vector, encoding, dictionaries, file);
    }
    return switch (vector) {
      case VarCharVector v -> i -> utf8(v.get(i));
      case LargeVarCharVector v -> i -> utf8(v.get(i));
      case ViewVarCharVector v -> i -> utf8(v.get(i));
      case BitVector v -> i -> v.get(i) != 0;
      case BigIntVector v -> v::get;
      case BaseIntVector v -> v::getValueAsLong;
      case Float2Vector v -> i -> (double) v.getValueAsFloat(i);
      case FloatingPointVector v -> v::getValueAsDouble;
      case NullVector v -> i -> null;
      case ListVector v -> {
        ColumnReader items = of(v.getDataVector(), dictionaries, file);
        yield i -> items.range(v.getElementStartIndex(i), v.getElementEndIndex(i));
      }
      case LargeListVector v -> {
        ColumnReader items = of(v.getDataVector(), dictionaries, file);
        yield i ->
            items.range(
                Math.toIntExact(v.getElementStartIndex(i)),
                Math.toIntExact(v.getElementEndIndex(i)));
      }
      case FixedSizeListVector v -> {
        ColumnReader items = of(v.getDataVector(), dictionaries, file);
        int size = v.getListSize();
        yield i -> items.range(i * size, (i + 1) * size);
      }
      case StructVector v -> {
        List<ColumnReader> fields =
            v.getChildrenFromFields().stream().map(f -> of(f, dictionaries, file)).toList();
        yield i -> struct(fields, i);
      }
      default -> i -> plain(vector, i, file);
    };
  }

  private static Values dictionaryValues(
      FieldVector vector, DictionaryEncoding encoding, DictionaryProvider dictionaries, Path file) {
    Dictionary dictionary = dictionaries.lookup(encoding.getId());
    if (dictionary == null || !(vector instanceof BaseIntVector codes)) {
      throw new InvalidDataset(
          "%s: column '%s' refers to dictionary %d, which the file does not have."
              .formatted(file, vector.getName(), encoding.getId()));
    }
    ColumnReader entries = of(dictionary.getVector(), dictionaries, file);
    int size = dictionary.getVector().getValueCount();
    return i -> {
      long code = codes.getValueAsLong(i);
      if (code < 0 || code >= size) {
        throw new IllegalArgumentException(
            "dictionary entry %d of %d in column '%s'".formatted(code, size, vector.getName()));
      }
      return entries.read((int) code);
    };
  }

  private List<@Nullable Object> range(int from, int to) {
    if (from < 0 || to < from || to > nulls.getValueCount()) {
      throw new IllegalArgumentException(
          "list of column '%s' runs from %d to %d of %d items"
              .formatted(name, from, to, nulls.getValueCount()));
    }
    List<@Nullable Object> list = new ArrayList<>(to - from);
    for (int i = from; i < to; i++) {
      list.add(read(i));
    }
    return list;
  }

  private static Map<String, @Nullable Object> struct(List<ColumnReader> fields, int index) {
    Map<String, @Nullable Object> values = LinkedHashMap.newLinkedHashMap(fields.size());
    for (ColumnReader field : fields) {
      values.put(field.name, field.read(index));
    }
    return values;
  }

  private static Object plain(FieldVector vector, int index, Path file) {
    return switch (vector.getObject(index)) {
      case String s -> s;
      case Number n -> n;
      case Boolean b -> b;
      default ->
          throw new InvalidDataset(
              "%s: column '%s' has the type %s, which cannot be read; save it as text, numbers, lists or structs."
                  .formatted(file, vector.getName(), vector.getField().getType()));
    };
  }

  private static String utf8(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
