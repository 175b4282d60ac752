package dev.nibble.trainer.run;

import dev.nibble.trainer.run.Metrics.Point;
import java.util.ArrayList;
import java.util.List;

/** Methods that turn a noisy curve into a line that the eye can follow. */
final class Smoothing {
  private Smoothing() {}

  /**
   * The mean over {@code radius} neighbours on each side. Where there are fewer on one side, as
   * many are taken on the other, so that the line starts and ends at the curve's own values.
   */
  static List<Point> movingAverage(List<Point> points, int radius) {
    int n = points.size();
    double[] sums = new double[n + 1];
    for (int i = 0; i < n; i++) {
      sums[i + 1] = sums[i] + points.get(i).value();
    }
    List<Point> smooth = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      int r = Math.min(radius, Math.min(i, n - 1 - i));
      double mean = r == 0 ? points.get(i).value() : (sums[i + r + 1] - sums[i - r]) / (2 * r + 1);
      smooth.add(new Point(points.get(i).step(), mean));
    }
    return smooth;
  }

  /** At most {@code count} of the points, evenly spread, with the first and the last. */
  static List<Point> thin(List<Point> points, int count) {
    if (points.size() <= count) {
      return points;
    }
    List<Point> thin = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      thin.add(points.get((int) ((long) i * (points.size() - 1) / (count - 1))));
    }
    return thin;
  }
}
