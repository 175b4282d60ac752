package dev.nibble.api.comparing;

import dev.nibble.api.compare.ComparedFormat;
import dev.nibble.quant.named.FormatNames;
import dev.nibble.trainer.plot.Canvas;
import dev.nibble.trainer.plot.LogTicks;
import dev.nibble.trainer.plot.Ticks;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Bits of a weight against perplexity as SVG: a dot for each format, with its name, and a line at
 * the perplexity of the base as it is; the same after training, where there was one. Perplexities
 * before it are left out where they are so much higher that differences after it could not be seen.
 */
final class ComparisonPlot {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 430;
  private static final int LEFT = 72;
  private static final int RIGHT = WIDTH - 24;
  private static final int TOP = 100;
  private static final int BOTTOM = 372;
  private static final double RADIUS = 4.5;

  /** How many times higher is much higher. */
  private static final double MUCH = 10;

  /** What is drawn in one colour. */
  private enum Series {
    BASE("validation", "dot"),
    TRAINED("training", "spot");

    private final String line;
    private final String dot;

    Series(String line, String dot) {
      this.line = line;
      this.dot = dot;
    }
  }

  private record Mark(String name, double bits, double perplexity, Series series) {
    boolean isFull() {
      return name.equals(FormatNames.FULL);
    }
  }

  private final List<Mark> marks;
  private final Ticks x;
  private final LogTicks y;

  private ComparisonPlot(List<ComparedFormat> rows) {
    marks =
        withoutMuchHigher(
            rows.stream()
                .flatMap(ComparisonPlot::marks)
                .filter(m -> Double.isFinite(m.perplexity()))
                .toList());
    double bits =
        marks.stream().filter(m -> !m.isFull()).mapToDouble(Mark::bits).max().orElse(Byte.SIZE);
    x = Ticks.around(0, bits, 8, 0.1);
    y =
        LogTicks.around(
            marks.stream().mapToDouble(Mark::perplexity).min().orElse(1),
            marks.stream().mapToDouble(Mark::perplexity).max().orElse(2));
  }

  private static List<Mark> withoutMuchHigher(List<Mark> marks) {
    double trained =
        marks.stream()
            .filter(m -> m.series() == Series.TRAINED)
            .mapToDouble(Mark::perplexity)
            .max()
            .orElse(Double.POSITIVE_INFINITY);
    boolean muchHigher =
        marks.stream()
            .filter(m -> m.series() == Series.BASE)
            .allMatch(m -> m.perplexity() > MUCH * trained);
    return muchHigher ? marks.stream().filter(m -> m.series() == Series.TRAINED).toList() : marks;
  }

  private static Stream<Mark> marks(ComparedFormat row) {
    List<Mark> of = new ArrayList<>();
    row.base()
        .ifPresent(f -> {
          of.add(new Mark(row.format(), f.bits(), f.perplexity(), Series.BASE));
          row.trained()
              .ifPresent(
                  t -> of.add(new Mark(row.format(), f.bits(), t.perplexity(), Series.TRAINED)));
        });
    return of.stream();
  }

  /**
   * The drawing as an SVG document.
   *
   * @param title of it
   * @param subtitle the model
   */
  static String svg(List<ComparedFormat> rows, String title, String subtitle) {
    return new ComparisonPlot(rows).draw(title, subtitle);
  }

  private String draw(String title, String subtitle) {
    Canvas canvas = new Canvas(WIDTH, HEIGHT, title);
    canvas.text(LEFT, 26, "class=\"title\" font-size=\"16\" font-weight=\"600\"", title);
    canvas.text(LEFT, 46, "", subtitle);
    axes(canvas);
    key(canvas);
    List<Mark> dots = marks.stream().filter(m -> !m.isFull()).toList();
    Labels labels = new Labels(canvas, LEFT, RIGHT);
    marks.stream()
        .filter(Mark::isFull)
        .forEach(m -> {
          labels.keepFree(py(m));
          canvas.line(m.series().line, LEFT, py(m), RIGHT, py(m), 1.5);
        });
    dots.forEach(m -> {
      labels.keepFree(px(m), py(m));
      canvas.circle(m.series().dot, px(m), py(m), RADIUS);
    });
    dots.forEach(m -> labels.put(px(m), py(m), m.name()));
    return canvas.end();
  }

  private void axes(Canvas canvas) {
    for (double v : y.values()) {
      double at = py(v);
      canvas.line("grid", LEFT, at, RIGHT, at, 1);
      canvas.text(LEFT - 8, at + 4, "text-anchor=\"end\"", y.label(v));
    }
    for (double v : x.values()) {
      canvas.text(px(v), BOTTOM + 18, "text-anchor=\"middle\"", x.label(v));
    }
    canvas.line("axis", LEFT, BOTTOM, RIGHT, BOTTOM, 1);
    canvas.text(
        (LEFT + RIGHT) / 2.0, HEIGHT - 12, "text-anchor=\"middle\"", "bits of a quantised weight");
    canvas.upwards(16, (TOP + BOTTOM) / 2, "perplexity of held-out rows");
  }

  /** What colours stand for, and the values of the lines. */
  private void key(Canvas canvas) {
    int at = LEFT;
    for (Series series : Series.values()) {
      if (marks.stream().anyMatch(m -> m.series() == series)) {
        String text =
            (series == Series.BASE ? "base" : "after training")
                + marks.stream()
                    .filter(m -> m.isFull() && m.series() == series)
                    .map(m -> "; line: full, " + ComparisonTable.perplexity(m.perplexity()))
                    .findFirst()
                    .orElse("");
        canvas.circle(series.dot, at + RADIUS, 66, RADIUS);
        canvas.text(at + 16, 70, "", text);
        at += 16 + 7 * text.length() + 20;
      }
    }
  }

  private double px(Mark m) {
    return px(m.bits());
  }

  private double px(double bits) {
    return LEFT + (bits - x.from()) / (x.to() - x.from()) * (RIGHT - LEFT);
  }

  private double py(Mark m) {
    return py(m.perplexity());
  }

  private double py(double perplexity) {
    return BOTTOM - y.position(perplexity) * (BOTTOM - TOP);
  }
}
