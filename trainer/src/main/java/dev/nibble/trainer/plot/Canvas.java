package dev.nibble.trainer.plot;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/** An SVG document under construction. Colours are of classes, for light and for dark pages. */
public final class Canvas {
  /** Text has a contrast of at least 4.5 to the page in both. */
  private static final String STYLE =
      """
      <style>
      .page { fill: #ffffff } text { fill: #57606a } .title { fill: #1f2328 } .grid { stroke: #d8dee4 }
      .axis { stroke: #57606a } .training { stroke: #0969da } .validation { stroke: #bc4c00 } .rate { stroke: #6e7781 }
      .dot { fill: #bc4c00 } .ring { fill: none; stroke: #bc4c00 } .spot { fill: #0969da }
      @media (prefers-color-scheme: dark) {
      .page { fill: #0d1117 } text { fill: #9da7b3 } .title { fill: #e6edf3 } .grid { stroke: #30363d }
      .axis { stroke: #9da7b3 } .training { stroke: #58a6ff } .validation { stroke: #f0883e } .rate { stroke: #9da7b3 }
      .dot { fill: #f0883e } .ring { stroke: #f0883e } .spot { fill: #58a6ff }
      }
      </style>
      """;

  private final StringBuilder svg = new StringBuilder();

  /** An empty page of so many units. */
  public Canvas(int width, int height, String title) {
    add(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\""
            + " font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\" font-size=\"12\">",
        width, height, width, height);
    add("<title>%s</title>", escape(title));
    svg.append(STYLE);
    add("<rect class=\"page\" width=\"%d\" height=\"%d\"/>", width, height);
  }

  /** Lines that follow with {@code clip} end at this rectangle. */
  public void clip(String name, int left, int top, int right, int bottom) {
    add(
        "<clipPath id=\"%s\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/></clipPath>",
        name, left, top, right - left, bottom - top);
  }

  /**
   * Text.
   *
   * @param attributes further ones, such as {@code text-anchor="end"}
   */
  public void text(double x, double y, String attributes, String text) {
    add("<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>", x, y, attributes, escape(text));
  }

  /** Text that runs upwards, centred. */
  public void upwards(int x, int y, String text) {
    add(
        "<text transform=\"translate(%d %d) rotate(-90)\" text-anchor=\"middle\">%s</text>",
        x, y, escape(text));
  }

  /** A straight line. */
  public void line(String classes, double x1, double y1, double x2, double y2, double width) {
    add(
        "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke-width=\"%.1f\"/>",
        classes, x1, y1, x2, y2, width);
  }

  /** A line through points; nothing for fewer than two. */
  public <P> void curve(
      String classes,
      String attributes,
      List<P> points,
      ToDoubleFunction<P> x,
      ToDoubleFunction<P> y) {
    if (points.size() < 2) {
      return;
    }
    add(
        "<polyline class=\"%s\" fill=\"none\" stroke-linejoin=\"round\" %s points=\"%s\"/>",
        classes,
        attributes,
        points.stream()
            .map(p ->
                String.format(Locale.ROOT, "%.1f,%.1f", x.applyAsDouble(p), y.applyAsDouble(p)))
            .collect(Collectors.joining(" ")));
  }

  /** A circle. */
  public void circle(String classes, double x, double y, double radius) {
    add("<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>", classes, x, y, radius);
  }

  /** The document. */
  public String end() {
    return svg.append("</svg>\n").toString();
  }

  @SuppressWarnings(
      "AnnotateFormatMethod") // the annotation would be a dependency for one private method
  private void add(String format, Object... values) {
    svg.append(String.format(Locale.ROOT, format, values)).append('\n');
  }

  /** As XML writes it; characters that no XML document may hold are replaced. */
  private static String escape(String text) {
    return text.codePoints()
        .mapToObj(c ->
            switch (c) {
              case '&' -> "&amp;";
              case '<' -> "&lt;";
              case '>' -> "&gt;";
              default -> isOfXml(c) ? Character.toString(c) : "\uFFFD";
            })
        .collect(Collectors.joining());
  }

  /** The production Char of XML 1.0, without the control characters that it discourages. */
  private static boolean isOfXml(int c) {
    return Character.isISOControl(c)
        ? c == '\t' || c == '\n'
        : !(c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)
            && c != 0xFFFE
            && c != 0xFFFF;
  }
}
