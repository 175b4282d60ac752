package dev.nibble.trainer.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.trainer.run.Metrics.Point;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

final class LossPlotTest {
  @TempDir Path dir;

  @Test
  void drawsBothCurvesInsideThePicture() throws Exception {
    List<Point> training =
        LongStream.rangeClosed(1, 1500).mapToObj(s -> new Point(s, 1 + 3.0 / s)).toList();
    List<Point> validation = List.of(new Point(500, 1.2), new Point(1000, 1.1));

    Document svg = parse(LossPlot.svg(new Metrics(training, validation), "a < b & c"));

    assertThat(svg.getElementsByTagName("title").item(0).getTextContent()).isEqualTo("a < b & c");
    NodeList lines = svg.getElementsByTagName("polyline");
    assertThat(lines.getLength()).isEqualTo(3);
    for (int i = 0; i < lines.getLength(); i++) {
      for (String point : ((Element) lines.item(i)).getAttribute("points").split(" ", -1)) {
        String[] xy = point.split(",", 2);
        assertThat(Double.parseDouble(xy[0])).isBetween(64.0, 736.0);
        assertThat(Double.parseDouble(xy[1])).isBetween(68.0, 332.0);
      }
    }
    assertThat(svg.getElementsByTagName("circle").getLength()).isEqualTo(2);
    assertThat(svg.getDocumentElement().getTextContent())
        .contains("training, last 1.002", "validation, last 1.100", "optimizer step");
  }

  @Test
  void drawsWhateverThereIs() throws Exception {
    Document empty = parse(LossPlot.svg(new Metrics(List.of(), List.of()), "nothing"));
    assertThat(empty.getElementsByTagName("polyline").getLength()).isZero();
    Document one =
        parse(LossPlot.svg(new Metrics(List.of(new Point(1, 2)), List.of()), "one step"));
    assertThat(one.getElementsByTagName("polyline").getLength()).isZero();
    List<Point> flat = List.of(new Point(1, 2), new Point(2, Double.NaN), new Point(3, 2));
    Document same = parse(LossPlot.svg(new Metrics(flat, List.of()), "flat"));
    assertThat(same.getDocumentElement().getTextContent()).doesNotContain("NaN");
    assertThat(((Element) same.getElementsByTagName("polyline").item(0)).getAttribute("points"))
        .doesNotContain("NaN");
  }

  @Test
  void readsMetricsAndWritesAFile() throws Exception {
    Path metrics =
        Files.writeString(
            dir.resolve("metrics.jsonl"),
            "{\"step\":1,\"loss\":2}\n{\"step\":2,\"loss\":1.5}\n{\"step\":2,\"eval_loss\":1.7}\n");
    Path file = dir.resolve("loss.svg");
    LossPlot.write(metrics, file, "Fine-tuning");
    assertThat(parse(Files.readString(file)).getElementsByTagName("circle").getLength())
        .isEqualTo(1);
    assertThat(dir.resolve("loss.svg.tmp")).doesNotExist();
  }

  @Test
  void ticksAreRound() {
    assertThat(Ticks.around(0, 237, 8, 1).values())
        .containsExactly(0.0, 50.0, 100.0, 150.0, 200.0, 250.0);
    Ticks loss = Ticks.around(0.93, 3.81, 6, 1e-6);
    assertThat(loss.values().stream().map(loss::label))
        .containsExactly("0.5", "1.0", "1.5", "2.0", "2.5", "3.0", "3.5", "4.0");
    Ticks steps = Ticks.around(0, 3, 8, 1);
    assertThat(steps.values().stream().map(steps::label)).containsExactly("0", "1", "2", "3");
    Ticks many = Ticks.around(0, 12000, 8, 1);
    assertThat(many.label(many.to())).isEqualTo("12,000");
  }

  @Test
  void smoothingTakesNeighboursOnBothSides() {
    List<Point> line = LongStream.range(0, 50).mapToObj(s -> new Point(s, 2.0 * s)).toList();
    List<Point> smooth = Smoothing.movingAverage(line, 5);
    assertThat(smooth.subList(5, 45)).isEqualTo(line.subList(5, 45));
    assertThat(smooth).startsWith(new Point(0, 5)).endsWith(new Point(49, 93));
    assertThat(Smoothing.thin(line, 10))
        .hasSize(10)
        .startsWith(new Point(2, 4))
        .endsWith(new Point(47, 94));
  }

  private static Document parse(String svg) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
  }
}
