package dev.nibble.data.format;

import dev.nibble.data.rows.Row;
import dev.nibble.errors.Remedy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Columns by whose names rows hold pictures or sound beside their text. An answer about a picture
 * that the model cannot see would teach it to invent, so such rows are refused.
 */
final class Media {
  private static final List<String> COLUMNS =
      List.of("image", "images", "video", "videos", "audio", "audios");

  private Media() {}

  /** The columns that are read: those of the text, and these. */
  static List<String> with(List<String> text) {
    List<String> all = new ArrayList<>(text);
    all.addAll(COLUMNS);
    return List.copyOf(all);
  }

  /**
   * Refuses a row with such a column that holds something.
   *
   * @param text the columns of the text, whatever their names
   */
  static void refuse(Row row, List<String> text) {
    for (String column : COLUMNS) {
      if (!text.contains(column) && row.value(column).filter(Media::isSomething).isPresent()) {
        throw row.invalid(
            "column '" + column + "' holds what a text model cannot take in", Remedy.REMOVE_MEDIA);
      }
    }
  }

  private static boolean isSomething(Object value) {
    return switch (value) {
      case String text -> !text.isBlank();
      case List<?> list -> !list.isEmpty();
      case Map<?, ?> struct -> struct.values().stream().anyMatch(v -> v != null);
      default -> true;
    };
  }
}
