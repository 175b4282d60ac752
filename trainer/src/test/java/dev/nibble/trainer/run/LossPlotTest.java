package dev.nibble.trainer.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.trainer.run.Metrics.Point;
import dev.nibble.trainer.run.Metrics.Step;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

final class LossPlotTest {
  @TempDir Path dir;

  private static Step step(long step, double loss) {
    return new Step(step, step / 100.0, loss, 1e-3 * (1 - step / 2000.0));
  }

  private static String text(Document svg) {
    return svg.getDocumentElement().getTextContent();
  }

  private static List<Element> lines(Document svg, String classes) {
    NodeList all = svg.getElementsByTagName("polyline");
    return IntStream.range(0, all.getLength())
        .mapToObj(i -> (Element) all.item(i))
        .filter(line -> line.getAttribute("class").equals(classes))
        .toList();
  }

  private static List<double[]> points(Element line) {
    return Arrays.stream(line.getAttribute("points").split(" ", -1))
        .map(xy -> Arrays.stream(xy.split(",", 2)).mapToDouble(Double::parseDouble).toArray())
        .toList();
  }

  @Test
  void titlesMayHoldWhatNoXmlDocumentMay() throws Exception {
    String title = "a\u001b[31m\u0000\r\u0085\uD800\uFFFF <b> \uD83D\uDE00";
    Document svg = parse(LossPlot.svg(new Metrics(List.of(), List.of()), title, title));
    assertThat(svg.getElementsByTagName("title").item(0).getTextContent())
        .isEqualTo("a\uFFFD[31m\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD <b> \uD83D\uDE00");
  }

  @Test
  void drawsStepsEvaluationsEpochsAndTheLearningRate() throws Exception {
    List<Step> training =
        LongStream.rangeClosed(1, 250).mapToObj(s -> step(s, 2 + 1.0 / s)).toList();
    List<Point> validation = List.of(new Point(80, 2.2), new Point(160, 2.1), new Point(240, 2.15));

    Document svg =
        parse(LossPlot.svg(new Metrics(training, validation), "a < b & c", "base · lora"));

    assertThat(svg.getElementsByTagName("title").item(0).getTextContent()).isEqualTo("a < b & c");
    assertThat(text(svg))
        .contains(
            "base · lora",
            "training, last step 2.0040",
            "validation, last 2.1500, best 2.1000 at step 160",
            "epoch 1",
            "epoch 2",
            "learning rate",
            "0.001",
            "optimizer step")
        .doesNotContain("epoch 3", "↑");
    assertThat(lines(svg, "training")).hasSize(2);
    assertThat(lines(svg, "validation")).hasSize(1);
    assertThat(lines(svg, "rate")).hasSize(1);
    for (String classes : List.of("training", "validation", "rate")) {
      for (double[] xy : points(lines(svg, classes).getLast())) {
        assertThat(xy[0]).isBetween(64.0, 736.0);
        assertThat(xy[1]).isBetween(92.0, 378.0);
      }
    }
    assertThat(svg.getElementsByTagName("circle").getLength())
        .isEqualTo(3 + 1); // a ring at the best
  }

  @Test
  void aFirstDropDoesNotFlattenTheRest() throws Exception {
    List<Step> training =
        LongStream.rangeClosed(1, 700)
            .mapToObj(s -> step(s, s <= 30 ? 11.3 - 0.3 * s : 0.9 - 0.0007 * s))
            .toList();

    Document svg = parse(LossPlot.svg(new Metrics(training, List.of()), "a", "b"));

    assertThat(text(svg)).contains("↑ 11.0000 at step 1");
    List<double[]> smooth = points(lines(svg, "training").getLast());
    double[] middle = smooth.get(smooth.size() / 4);
    double[] end = smooth.getLast();
    assertThat(end[1] - middle[1]).isGreaterThan(100); // of 234: they can be told apart
  }

  @Test
  void anEvaluationBeforeTrainingIsNeitherTheBestNorTheHeightOfTheAxis() throws Exception {
    List<Step> training =
        LongStream.rangeClosed(1, 100).mapToObj(s -> step(s, s == 1 ? 9 : 0.9)).toList();
    List<Point> validation = List.of(new Point(0, 9.5), new Point(50, 0.9), new Point(100, 0.8));

    Document svg = parse(LossPlot.svg(new Metrics(training, validation), "a", "b"));

    assertThat(text(svg)).contains("best 0.8000 at step 100").contains("↑ 9.0000 at step 1");
    assertThat(svg.getElementsByTagName("circle").getLength()).isEqualTo(2 + 1);
    Metrics start = new Metrics(List.of(), List.of(new Point(0, 0.5)));
    assertThat(LossPlot.svg(start, "a", "b")).doesNotContain("NaN").doesNotContain("best");
  }

  @Test
  void textCanBeReadOnBothPages() {
    assertThat(contrast("#57606a", "#ffffff")).isGreaterThan(4.5);
    assertThat(contrast("#9da7b3", "#0d1117")).isGreaterThan(4.5);
    assertThat(LossPlot.svg(new Metrics(List.of(), List.of()), "a", "b"))
        .contains(".page { fill: #ffffff } text { fill: #57606a }")
        .contains(".page { fill: #0d1117 } text { fill: #9da7b3 }");
  }

  /** As WCAG 2 defines it. */
  private static double contrast(String one, String other) {
    double a = luminance(one);
    double b = luminance(other);
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }

  private static double luminance(String colour) {
    double[] weights = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    for (int i = 0; i < 3; i++) {
      double c = Integer.parseInt(colour.substring(1 + 2 * i, 3 + 2 * i), 16) / 255.0;
      sum += weights[i] * (c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
  }

  @Test
  void drawsWhateverThereIs() throws Exception {
    Document empty = parse(LossPlot.svg(new Metrics(List.of(), List.of()), "nothing", ""));
    assertThat(empty.getElementsByTagName("polyline").getLength()).isZero();
    Document one = parse(LossPlot.svg(new Metrics(List.of(step(1, 2)), List.of()), "one step", ""));
    assertThat(one.getElementsByTagName("polyline").getLength()).isZero();
    List<Step> flat = List.of(step(1, 2), step(2, Double.NaN), step(3, 2));
    Document same = parse(LossPlot.svg(new Metrics(flat, List.of()), "flat", ""));
    assertThat(text(same)).doesNotContain("NaN");
    assertThat(lines(same, "training").getFirst().getAttribute("points")).doesNotContain("NaN");
  }

  @Test
  void readsMetricsAndWritesAFile() throws Exception {
    Path metrics =
        Files.writeString(
            dir.resolve("metrics.jsonl"),
            "{\"step\":1,\"loss\":2}\n{\"step\":2,\"loss\":1.5}\n{\"step\":2,\"eval_loss\":1.7}\n");
    Path file = dir.resolve("loss.svg");
    LossPlot.write(metrics, file, "Fine-tuning", "a model");
    assertThat(parse(Files.readString(file)).getElementsByTagName("circle").getLength())
        .isEqualTo(2);
    assertThat(dir.resolve("loss.svg.tmp")).doesNotExist();
  }

  @Test
  void smoothingTakesNeighboursOnBothSidesAndKeepsTheEnds() {
    List<Point> line = LongStream.range(0, 50).mapToObj(s -> new Point(s, 2.0 * s)).toList();
    assertThat(Smoothing.movingAverage(line, 5)).isEqualTo(line);
    List<Point> noise =
        List.of(
            new Point(1, 9), new Point(2, 3), new Point(3, 6), new Point(4, 0), new Point(5, 1));
    assertThat(Smoothing.movingAverage(noise, 1))
        .containsExactly(
            new Point(1, 9),
            new Point(2, 6),
            new Point(3, 3),
            new Point(4, 7 / 3.0),
            new Point(5, 1));
    assertThat(Smoothing.thin(line, 10))
        .hasSize(10)
        .startsWith(new Point(0, 0))
        .endsWith(new Point(49, 98));
  }

  private static Document parse(String svg) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
  }
}
