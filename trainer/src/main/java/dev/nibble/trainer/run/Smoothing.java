package dev.nibble.trainer.run;

import dev.nibble.trainer.run.Metrics.Point;
import java.util.ArrayList;
import java.util.List;

/** Turns a noisy curve into a line that the eye can follow. */
final class Smoothing {
  private Smoothing() {}

  /**
   * The mean over the neighbours on both sides, as many as both sides have, so that the line does
   * not lag behind.
   */
  static List<Point> movingAverage(List<Point> points, int radius) {
    double[] sums = new double[points.size() + 1];
    for (int i = 0; i < points.size(); i++) {
      sums[i + 1] = sums[i] + points.get(i).loss();
    }
    List<Point> smooth = new ArrayList<>();
    for (int i = 0; i < points.size(); i++) {
      int r = Math.min(radius, Math.min(i, points.size() - 1 - i));
      double mean = (sums[i + r + 1] - sums[i - r]) / (2 * r + 1);
      smooth.add(new Point(points.get(i).step(), mean));
    }
    return smooth;
  }

  /** At most {@code count} points, each the mean of a run of neighbours. */
  static List<Point> thin(List<Point> points, int count) {
    if (points.size() <= count) {
      return points;
    }
    List<Point> thin = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int from = (int) ((long) i * points.size() / count);
      int to = (int) ((long) (i + 1) * points.size() / count);
      double mean =
          points.subList(from, to).stream().mapToDouble(Point::loss).average().orElseThrow();
      thin.add(new Point(points.get((from + to - 1) / 2).step(), mean));
    }
    return thin;
  }
}
