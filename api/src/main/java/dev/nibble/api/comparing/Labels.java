package dev.nibble.api.comparing;

import dev.nibble.trainer.plot.Canvas;
import java.util.ArrayList;
import java.util.List;

/** Labels of dots in a drawing, each put where it covers nothing that is there already. */
final class Labels {
  private static final double LETTER = 6.6; // units of width, about
  private static final double LINE = 14;
  private static final double GAP = 8;

  private final Canvas canvas;
  private final double left;
  private final double right;
  private final List<Box> taken = new ArrayList<>();

  /** A line of text or a dot: its left end, its middle, and its width. */
  private record Box(double x, double y, double width) {
    boolean overlaps(Box other) {
      return x < other.x + other.width && other.x < x + width && Math.abs(y - other.y) < LINE;
    }
  }

  /** Labels between two ends of a drawing. */
  Labels(Canvas canvas, double left, double right) {
    this.canvas = canvas;
    this.left = left;
    this.right = right;
  }

  /** Keeps labels off a dot. */
  void keepFree(double x, double y) {
    taken.add(new Box(x - GAP / 2, y, GAP));
  }

  /** Keeps labels off a line across the drawing. */
  void keepFree(double y) {
    taken.add(new Box(left, y, right - left));
  }

  /** Writes the label of a dot: beside it, above or below, where there is room. */
  void put(double x, double y, String text) {
    double width = LETTER * text.length();
    List<Box> places = new ArrayList<>();
    for (double down : new double[] {0, -LINE, LINE, -2 * LINE, 2 * LINE}) {
      places.add(new Box(x + GAP, y + down, width));
      places.add(new Box(x - GAP - width, y + down, width));
      if (down != 0) {
        places.add(new Box(x - width / 2, y + down, width));
      }
    }
    Box place = places.stream().filter(this::isFree).findFirst().orElse(places.getFirst());
    taken.add(place);
    canvas.text(
        place.x() + width / 2, place.y() + 4, "text-anchor=\"middle\" font-size=\"11\"", text);
  }

  private boolean isFree(Box place) {
    return place.x() >= left
        && place.x() + place.width() <= right
        && taken.stream().noneMatch(place::overlaps);
  }
}
