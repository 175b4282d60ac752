package dev.nibble.data.arrow;

import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Struct;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.BaseIntVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.complex.DenseUnionVector;
import org.apache.arrow.vector.complex.FixedSizeListVector;
import org.apache.arrow.vector.complex.LargeListVector;
import org.apache.arrow.vector.complex.LargeListViewVector;
import org.apache.arrow.vector.complex.ListVector;
import org.apache.arrow.vector.complex.ListViewVector;
import org.apache.arrow.vector.complex.MapVector;
import org.apache.arrow.vector.complex.RunEndEncodedVector;
import org.apache.arrow.vector.complex.StructVector;
import org.apache.arrow.vector.complex.UnionVector;
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
      case MapVector v -> map(v, dictionaries, file);
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
      case ListViewVector v -> {
        ColumnReader items = of(v.getDataVector(), dictionaries, file);
        yield i -> items.range(v.getElementStartIndex(i), v.getElementEndIndex(i));
      }
      case LargeListViewVector v -> {
        ColumnReader items = of(v.getDataVector(), dictionaries, file);
        yield i -> {
          long from = v.getOffsetBuffer().getLong((long) i * Long.BYTES);
          long size = v.getSizeBuffer().getLong((long) i * Long.BYTES);
          return items.range(Math.toIntExact(from), Math.toIntExact(from + size));
        };
      }
      case StructVector v -> {
        List<ColumnReader> fields =
            v.getChildrenFromFields().stream().map(f -> of(f, dictionaries, file)).toList();
        yield i -> struct(fields, i);
      }
      case RunEndEncodedVector v -> {
        ColumnReader runs = of(v.getValuesVector(), dictionaries, file);
        yield i -> runs.read(v.getPhysicalIndex(i));
      }
      case UnionVector v -> {
        Map<Integer, ColumnReader> types = new HashMap<>();
        yield i ->
            types
                .computeIfAbsent(
                    v.getTypeValue(i), t -> of((FieldVector) v.getVector(i), dictionaries, file))
                .read(i);
      }
      case DenseUnionVector v -> {
        Map<Byte, ColumnReader> types = new HashMap<>();
        yield i ->
            types
                .computeIfAbsent(
                    v.getTypeId(i), t -> of((FieldVector) v.getVectorByType(t), dictionaries, file))
                .read(v.getOffset(i));
      }
      default -> ScalarValues.of(vector, file);
    };
  }

  private static Values map(MapVector vector, DictionaryProvider dictionaries, Path file) {
    if (!(vector.getDataVector() instanceof StructVector entries)
        || entries.getChildrenFromFields().size() != 2) {
      throw new InvalidDataset(
          "%s: column '%s' is a map without keys and values.".formatted(file, vector.getName()));
    }
    ColumnReader keys = of(entries.getChildrenFromFields().getFirst(), dictionaries, file);
    ColumnReader values = of(entries.getChildrenFromFields().getLast(), dictionaries, file);
    return i -> {
      int from = vector.getElementStartIndex(i);
      List<@Nullable Object> names = keys.range(from, vector.getElementEndIndex(i));
      Map<String, @Nullable Object> map = LinkedHashMap.newLinkedHashMap(names.size());
      for (int k = 0; k < names.size(); k++) {
        map.put(String.valueOf(names.get(k)), values.read(from + k));
      }
      return map;
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
    Map<String, @Nullable Object> values = new Struct(fields.size());
    for (ColumnReader field : fields) {
      values.put(field.name, field.read(index));
    }
    return values;
  }
}
