package dev.nibble.trainer.run;

import dev.nibble.trainer.run.Metrics.Point;
import java.util.ArrayList;
import java.util.List;

/** Turns a noisy curve into a line that the eye can follow. */
final class Smoothing {
  private Smoothing() {}

  /** The mean over {@code radius} neighbours on each side, fewer where the curve ends. */
  static List<Point> movingAverage(List<Point> points, int radius) {
    double[] sums = new double[points.size() + 1];
    for (int i = 0; i < points.size(); i++) {
      sums[i + 1] = sums[i] + points.get(i).loss();
    }
    List<Point> smooth = new ArrayList<>();
    for (int i = 0; i < points.size(); i++) {
      int from = Math.max(0, i - radius);
      int to = Math.min(points.size(), i + radius + 1);
      double mean = (sums[to] - sums[from]) / (to - from);
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
