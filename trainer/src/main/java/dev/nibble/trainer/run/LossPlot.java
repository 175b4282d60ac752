package dev.nibble.trainer.run;

import dev.nibble.compute.files.AtomicFile;
import dev.nibble.trainer.plot.Canvas;
import dev.nibble.trainer.plot.Ticks;
import dev.nibble.trainer.run.Metrics.Point;
import dev.nibble.trainer.run.Metrics.Step;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * The loss curve as SVG: each step's loss in a pale line, their moving average in a strong one,
 * evaluations as dots with a ring around the best; epochs as vertical lines, and the learning rate
 * below. The axis ends where the curve flattens: a first drop that is much higher is cut off and
 * its height written instead.
 */
public final class LossPlot {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 430;
  private static final int LEFT = 64;
  private static final int RIGHT = WIDTH - 24;
  private static final int TOP = 92;
  private static final int BOTTOM = 326;
  private static final int RATE_TOP = 342;
  private static final int RATE_BOTTOM = 378;
  private static final int MOST_POINTS = 800;
  private static final int MOST_EPOCHS = 12;

  /** A share of the steps, at the start, that may be higher than the axis goes. */
  private static final double START = 0.1;

  private static final double PERCENTILE = 0.95;

  /** How much higher than the axis a curve must start for being cut off. */
  private static final double MUCH = 1.5;

  private final List<Step> steps;
  private final List<Point> training;
  private final List<Point> validation;
  private final double last;
  private final double highest;
  private final Ticks x;
  private final Ticks y;

  private LossPlot(Metrics metrics) {
    this.steps = metrics.training().stream().filter(s -> Double.isFinite(s.loss())).toList();
    this.training = steps.stream().map(s -> new Point(s.step(), s.loss())).toList();
    this.validation =
        metrics.validation().stream().filter(p -> Double.isFinite(p.value())).toList();
    this.last =
        DoubleStream.concat(
                training.stream().mapToDouble(Point::step),
                validation.stream().mapToDouble(Point::step))
            .filter(step -> step > 0)
            .max()
            .orElse(1);
    this.highest = all().max().orElse(1);
    this.x = Ticks.around(0, last, 8, 1);
    this.y = Ticks.around(all().min().orElse(0), top(), 6, 1e-6);
  }

  private DoubleStream all() {
    return DoubleStream.concat(
        training.stream().mapToDouble(Point::value), validation.stream().mapToDouble(Point::value));
  }

  /** Where the axis ends: at the highest loss, or above nearly all that follow the start. */
  private double top() {
    double[] later =
        training.stream()
            .skip((long) Math.ceil(START * training.size()))
            .mapToDouble(Point::value)
            .sorted()
            .toArray();
    if (later.length == 0) {
      return highest;
    }
    double usual =
        Math.max(
            later[(int) (PERCENTILE * (later.length - 1))],
            trained().mapToDouble(Point::value).max().orElse(Double.NEGATIVE_INFINITY));
    return highest > MUCH * usual ? usual : highest;
  }

  /** Reads a {@code metrics.jsonl} and writes its curve, whole or not at all. */
  public static void write(Path metrics, Path file, String title, String subtitle)
      throws IOException {
    AtomicFile.write(file, svg(Metrics.read(metrics), title, subtitle));
  }

  /**
   * The curve as an SVG document.
   *
   * @param title such as the run's name
   * @param subtitle the model and how it was trained
   */
  public static String svg(Metrics metrics, String title, String subtitle) {
    return new LossPlot(metrics).draw(title, subtitle);
  }

  private String draw(String title, String subtitle) {
    Canvas canvas = new Canvas(WIDTH, HEIGHT, title);
    canvas.text(LEFT, 26, "class=\"title\" font-size=\"16\" font-weight=\"600\"", title);
    canvas.text(LEFT, 46, "", subtitle);
    axes(canvas);
    epochs(canvas);
    canvas.clip("plot", LEFT, TOP, RIGHT, BOTTOM);
    curve(canvas, "training", "stroke-opacity=\"0.35\"", Smoothing.thin(training, MOST_POINTS));
    List<Point> smooth =
        Smoothing.thin(Smoothing.movingAverage(training, training.size() / 40), MOST_POINTS);
    curve(canvas, "training", "stroke-width=\"2.5\"", smooth);
    curve(canvas, "validation", "stroke-width=\"1.5\" stroke-opacity=\"0.8\"", validation);
    validation.stream()
        .filter(p -> p.value() <= y.to())
        .forEach(p -> canvas.circle("dot", px(p), py(p), 3.5));
    best().ifPresent(p -> canvas.circle("ring", px(p), py(p), 7));
    start(canvas);
    key(canvas);
    rates(canvas);
    return canvas.end();
  }

  private void curve(Canvas canvas, String classes, String attributes, List<Point> points) {
    canvas.curve(classes, attributes + " clip-path=\"url(#plot)\"", points, this::px, this::py);
  }

  private void axes(Canvas canvas) {
    for (double v : y.values()) {
      double at = py(v);
      canvas.line("grid", LEFT, at, RIGHT, at, 1);
      canvas.text(LEFT - 8, at + 4, "text-anchor=\"end\"", y.label(v));
    }
    for (double v : x.values()) {
      if (v <= last) {
        canvas.text(px(v), RATE_BOTTOM + 18, "text-anchor=\"middle\"", x.label(v));
      }
    }
    canvas.line("axis", LEFT, BOTTOM, RIGHT, BOTTOM, 1);
    canvas.text((LEFT + RIGHT) / 2.0, HEIGHT - 12, "text-anchor=\"middle\"", "optimizer step");
    canvas.upwards(16, (TOP + BOTTOM) / 2, "loss (nats per token)");
  }

  /** A line after each epoch but the last, as far as they are few. */
  private void epochs(Canvas canvas) {
    List<Step> ends = new ArrayList<>();
    for (Step step : steps) {
      if (step.step() < last && step.epoch() >= ends.size() + 1) {
        ends.add(step);
      }
    }
    if (ends.size() >= MOST_EPOCHS) {
      return;
    }
    for (int i = 0; i < ends.size(); i++) {
      double at = px((double) ends.get(i).step());
      canvas.line("grid", at, TOP, at, RATE_BOTTOM, 1);
      canvas.text(at - 4, TOP + 10, "text-anchor=\"end\" font-size=\"10\"", "epoch " + (i + 1));
    }
  }

  /** The height of what the axis cuts off. */
  private void start(Canvas canvas) {
    if (highest > y.to() && !training.isEmpty()) {
      Point top = training.stream().max(Comparator.comparingDouble(Point::value)).orElseThrow();
      canvas.text(
          px(top) + 8,
          TOP - 6,
          "font-size=\"11\"",
          "↑ %s at step %,d".formatted(loss(top.value()), top.step()));
    }
  }

  private Optional<Point> best() {
    return trained().min(Comparator.comparingDouble(Point::value));
  }

  /** The evaluations after the first step. */
  private Stream<Point> trained() {
    return validation.stream().filter(p -> p.step() > 0);
  }

  /** The names of the lines, with the values that the command line told. */
  private void key(Canvas canvas) {
    int at = LEFT;
    if (!training.isEmpty()) {
      at = key(canvas, at, "training", "training, last step " + loss(training.getLast().value()));
    }
    if (best().isPresent()) {
      Point best = best().get();
      key(
          canvas,
          at,
          "validation",
          "validation, last %s, best %s at step %,d"
              .formatted(loss(validation.getLast().value()), loss(best.value()), best.step()));
    }
  }

  private static int key(Canvas canvas, int at, String classes, String text) {
    canvas.line(classes, at, 62, at + 18, 62, 3);
    canvas.text(at + 26, 66, "", text);
    return at + 26 + 7 * text.length() + 20;
  }

  /** The learning rate, from 0 to its highest. */
  private void rates(Canvas canvas) {
    double peak = steps.stream().mapToDouble(Step::learningRate).max().orElse(0);
    if (peak <= 0) {
      return;
    }
    List<Point> rates =
        Smoothing.thin(
            steps.stream().map(s -> new Point(s.step(), s.learningRate())).toList(), MOST_POINTS);
    canvas.line("grid", LEFT, RATE_BOTTOM, RIGHT, RATE_BOTTOM, 1);
    canvas.curve(
        "rate",
        "stroke-width=\"1.5\"",
        rates,
        this::px,
        p -> RATE_BOTTOM - p.value() / peak * (RATE_BOTTOM - RATE_TOP));
    canvas.text(
        LEFT - 8,
        RATE_TOP + 8,
        "text-anchor=\"end\" font-size=\"11\"",
        new BigDecimal(peak, new MathContext(2)).stripTrailingZeros().toString());
    canvas.text(LEFT - 8, RATE_BOTTOM + 2, "text-anchor=\"end\" font-size=\"11\"", "0");
    canvas.text(LEFT + 4, RATE_TOP - 4, "font-size=\"11\"", "learning rate");
  }

  private static String loss(double loss) {
    return String.format(Locale.ROOT, "%.4f", loss);
  }

  private double px(Point p) {
    return px((double) p.step());
  }

  private double px(double step) {
    return LEFT + step / last * (RIGHT - LEFT);
  }

  private double py(Point p) {
    return py(p.value());
  }

  private double py(double loss) {
    return BOTTOM - (loss - y.from()) / (y.to() - y.from()) * (BOTTOM - TOP);
  }
}
