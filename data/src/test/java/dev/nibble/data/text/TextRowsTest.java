package dev.nibble.data.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.Rows;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextRowsTest {
  @TempDir Path folder;

  @Test
  void readsJsonLinesAndArraysAlike() throws IOException {
    String a = "{\"s\": \"x\\n👋\", \"n\": 3, \"f\": 1.5, \"b\": true}";
    String b = "{\"s\": null, \"l\": [1, {\"k\": []}]}";
    var lines = Rows.all(new JsonRows(file("a.jsonl", a + "\n\n" + b + "\n")));
    var array = Rows.all(new JsonRows(file("a.json", "[" + a + "," + b + "]\n")));
    assertThat(lines).hasSize(2);
    assertThat(lines.getFirst().values())
        .isEqualTo(Map.of("s", "x\n👋", "n", 3, "f", 1.5, "b", true));
    assertThat(lines.get(1).value("s")).isEmpty();
    assertThat(lines.get(1).list("l")).asString().isEqualTo("[1, {k=[]}]");
    assertThat(array).map(Row::values).isEqualTo(lines.stream().map(Row::values).toList());
    assertThat(array).map(Row::number).containsExactly(1L, 2L);
  }

  @Test
  void readsEmptyJson() throws IOException {
    assertThat(Rows.all(new JsonRows(file("a.json", "[]")))).isEmpty();
    assertThat(new JsonRows(file("b.json", " \n")).columns()).isEmpty();
  }

  @Test
  void saysWhereJsonIsCorrupt() throws IOException {
    Path cut = file("cut.jsonl", "{\"a\": 1}\n{\"a\": 2}\n{\"a\": \"unfini");
    assertThatThrownBy(() -> Rows.all(new JsonRows(cut)))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining(cut + ", row 3 (line 3)")
        .hasMessageContaining("not valid JSON");
    Path open = file("open.json", "[{\"a\": 1}");
    assertThatThrownBy(() -> Rows.all(new JsonRows(open))).hasMessageContaining("row 2");
    Path other = file("other.jsonl", "{\"a\": 1}\n[2]\n");
    assertThatThrownBy(() -> Rows.all(new JsonRows(other)))
        .hasMessageContaining("row 2 (line 2): expected an object");
    Path after = file("after.json", "[{\"a\": 1}] {\"a\": 2}");
    assertThatThrownBy(() -> Rows.all(new JsonRows(after))).hasMessageContaining("after the array");
  }

  @Test
  void readsCsv() throws IOException {
    Path file = file("a.csv", "\uFEFFinstruction,output\r\n\"a, \"\"b\"\"\nc\",d\r\n,\"  e \"\r\n");
    var rows = Rows.all(new CsvRows(file));
    assertThat(new CsvRows(file).columns()).containsExactly("instruction", "output");
    assertThat(rows)
        .map(Row::values)
        .isEqualTo(
            List.of(
                Map.of("instruction", "a, \"b\"\nc", "output", "d"),
                Map.of("instruction", "", "output", "  e ")));
  }

  @Test
  void saysWhereCsvIsCorrupt() throws IOException {
    Path ragged = file("a.csv", "a,b\n1,2\n1,2,3\n");
    assertThatThrownBy(() -> Rows.all(new CsvRows(ragged)))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining(ragged + ", row 2: 3 values")
        .hasMessageContaining("[a, b]");
    Path quote = file("b.csv", "a,b\n1,2\n3,\"4\n");
    assertThatThrownBy(() -> Rows.all(new CsvRows(quote)))
        .hasMessageContaining(quote + ", row 2: not valid CSV");
    Path twice = file("c.csv", "a,a\n1,2\n");
    assertThatThrownBy(() -> new CsvRows(twice).open()).hasMessageContaining("twice: [a, a]");
  }

  private Path file(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }
}
