package dev.nibble.trainer.run;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.trainer.run.Metrics.Point;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Draws the loss curve as SVG: each step's loss in a pale line, their moving average in a strong
 * one, evaluations as dots. The background is transparent and all colours are of middle lightness,
 * so that it is readable on white and on black.
 */
public final class LossPlot {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 380;
  private static final int LEFT = 64;
  private static final int RIGHT = WIDTH - 24;
  private static final int TOP = 68;
  private static final int BOTTOM = HEIGHT - 48;
  private static final int MOST_POINTS = 800;
  private static final String TEXT = "#7d8590";
  private static final String TRAINING = "#3b82f6";
  private static final String VALIDATION = "#e8710a";

  private final StringBuilder svg = new StringBuilder();
  private final List<Point> training;
  private final List<Point> validation;
  private final double steps;
  private final Ticks x;
  private final Ticks y;

  private LossPlot(Metrics metrics) {
    this.training = finite(metrics.training());
    this.validation = finite(metrics.validation());
    List<Point> all = Stream.concat(training.stream(), validation.stream()).toList();
    double low = all.stream().mapToDouble(Point::loss).min().orElse(0);
    double high = all.stream().mapToDouble(Point::loss).max().orElse(1);
    this.steps = (double) all.stream().mapToLong(Point::step).max().orElse(1);
    this.x = Ticks.around(0, steps, 8, 1);
    this.y = Ticks.around(low, high, 6, 1e-6);
  }

  /** Reads a {@code metrics.jsonl} and writes its curve, whole or not at all. */
  public static void write(Path metrics, Path file, String title) throws IOException {
    AtomicFile.write(file, svg(Metrics.read(metrics), title));
  }

  /** The curve as an SVG document. */
  public static String svg(Metrics metrics, String title) {
    return new LossPlot(metrics).draw(title);
  }

  private String draw(String title) {
    add(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\""
            + " font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\" font-size=\"12\" fill=\"%s\">",
        WIDTH, HEIGHT, WIDTH, HEIGHT, TEXT);
    add("<title>%s</title>", escape(title));
    add(
        "<text x=\"%d\" y=\"26\" font-size=\"16\" font-weight=\"600\">%s</text>",
        LEFT, escape(title));
    axes();
    List<Point> thin = Smoothing.thin(training, MOST_POINTS);
    List<Point> smooth = Smoothing.movingAverage(thin, thin.size() / 40);
    line(thin, TRAINING, 1, 0.35);
    line(smooth, TRAINING, 2.5, 1);
    line(validation, VALIDATION, 1.5, 0.7);
    for (Point p : validation) {
      add(
          "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>",
          px((double) p.step()), py(p.loss()), VALIDATION);
    }
    key(key(LEFT, "training", smooth, TRAINING), "validation", validation, VALIDATION);
    return svg.append("</svg>\n").toString();
  }

  private void axes() {
    for (double v : y.values()) {
      add(
          "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"%s\" stroke-opacity=\"0.25\"/>",
          LEFT, py(v), RIGHT, py(v), TEXT);
      add(
          "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
          LEFT - 8, py(v) + 4, y.label(v));
    }
    for (double v : x.values()) {
      if (v <= steps) {
        add(
            "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
            px(v), BOTTOM + 18, x.label(v));
      }
    }
    add(
        "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"%s\"/>",
        LEFT, BOTTOM, RIGHT, BOTTOM, TEXT);
    add(
        "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">optimizer step</text>",
        (LEFT + RIGHT) / 2, HEIGHT - 10);
    add(
        "<text transform=\"translate(16 %d) rotate(-90)\" text-anchor=\"middle\">loss (nats per token)</text>",
        (TOP + BOTTOM) / 2);
  }

  private void line(List<Point> points, String colour, double width, double opacity) {
    if (points.size() < 2) {
      return;
    }
    add(
        "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%.1f\" stroke-opacity=\"%.2f\""
            + " stroke-linejoin=\"round\" points=\"%s\"/>",
        colour,
        width,
        opacity,
        points.stream()
            .map(p -> String.format(Locale.ROOT, "%.1f,%.1f", px((double) p.step()), py(p.loss())))
            .collect(Collectors.joining(" ")));
  }

  /** A key with the last value; returns where the next one starts. */
  private int key(int at, String name, List<Point> points, String colour) {
    if (points.isEmpty()) {
      return at;
    }
    String text = String.format(Locale.ROOT, "%s, last %.3f", name, points.getLast().loss());
    add(
        "<line x1=\"%d\" y1=\"46\" x2=\"%d\" y2=\"46\" stroke=\"%s\" stroke-width=\"3\" stroke-linecap=\"round\"/>",
        at, at + 18, colour);
    add("<text x=\"%d\" y=\"50\">%s</text>", at + 26, text);
    return at + 26 + 7 * text.length() + 20;
  }

  private double px(double step) {
    return LEFT + step / steps * (RIGHT - LEFT);
  }

  private double py(double loss) {
    return BOTTOM - (loss - y.from()) / (y.to() - y.from()) * (BOTTOM - TOP);
  }

  private static List<Point> finite(List<Point> points) {
    return points.stream().filter(p -> Double.isFinite(p.loss())).toList();
  }

  @SuppressWarnings(
      "AnnotateFormatMethod") // the annotation would be a dependency for one private method
  private void add(String format, Object... values) {
    svg.append(String.format(Locale.ROOT, format, values)).append('\n');
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
