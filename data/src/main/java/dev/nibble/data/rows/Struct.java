package dev.nibble.data.rows;

import java.util.LinkedHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A value with fields from a file in which all rows have the same fields. A null in it may stand
 * for a field that other rows have and this one does not, unlike a null in JSON.
 */
public final class Struct extends LinkedHashMap<String, @Nullable Object> {
  private static final long serialVersionUID = 1L;

  /** A struct to fill with so many fields. */
  public Struct(int fields) {
    super(Math.ceilDiv(fields * 4, 3));
  }
}
