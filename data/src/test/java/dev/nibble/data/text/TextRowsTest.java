package dev.nibble.data.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import dev.nibble.data.Rows;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Projection;
import dev.nibble.data.rows.Row;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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
  void saysWhereAnArrayIsCorrupt() throws IOException {
    Path open = file("open.json", "[{\"a\": 1}");
    refused(
        open,
        ", row 2, line 1, column 10: not valid JSON: expected ',' and an object, or ']', got the end of the text");
    Path comma = file("comma.json", "[{\"a\": 1},\n{\"a\": 2},]");
    refused(comma, ", row 3, line 2");
    Path after = file("after.json", "[{\"a\": 1}] {\"a\": 2}");
    refused(after, ", line 1: expected the end of the file after the array of rows, got more text");
  }

  /** A row that is damaged keeps its number, and the ones behind it are read. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"a\": \"unfini              | line 2, column 14: not valid JSON: expected text up to a double quote, with line breaks as \\n and quotes as \\\", got the end of the line",
        "{\"a\": Paris}              | line 2, column 7: not valid JSON: expected a name in double quotes, ':' and a value, or '}', got Paris}",
        "{\"a\": 1,}                 | line 2, column 9: not valid JSON: expected ',' and a name with a value, or '}', got }",
        "{\"a\": 1                   | line 3, column 1: not valid JSON: expected ',' and a name with a value, or '}', got {\"a\": 3} (the row begins on line 2)",
        "{'a': 1}                    | line 2, column 2: not valid JSON: expected a name in double quotes, ':' and a value, or '}', got 'a': 1}",
        "{\"a\": 1, \"a\": 2}         | line 2, column 10: not valid JSON: the name 'a' occurs twice in one object",
        "[2]                         | line 2, column 1: not valid JSON: expected an object ({...}) for each row, got a list",
        "\"text\"                    | line 2, column 1: not valid JSON: expected an object ({...}) for each row, got a text",
        "// comment                  | line 2, column 1: not valid JSON: expected an object ({...}) for each row, got // comment",
        "{\"a\": {\"b\": tru}}        | line 2, column 13: not valid JSON: expected a name in double quotes, ':' and a value, or '}', got tru}}",
      })
  void namesARowThatIsDamaged(String line, String problem) throws IOException {
    Path file = file("bad.jsonl", "{\"a\": 1}\n" + line + "\n{\"a\": 3}\n{\"a\": 4}\n");
    List<Row> rows = Rows.all(new JsonRows(file));
    assertThat(rows).hasSize(4);
    assertThat(rows.get(0).text("a")).isEqualTo("1");
    assertThat(rows.get(2).text("a")).isEqualTo("3");
    assertThat(rows.get(3).text("a")).isEqualTo("4");
    assertThat(rows.get(3).number()).isEqualTo(4);
    assertThatThrownBy(() -> rows.get(1).optionalText("a"))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageStartingWith(file + ", row 2, " + problem)
        .message()
        .doesNotContain("Jackson", "Source", "REDACTED", "token");
  }

  @Test
  void endsAfterADamagedRow() throws IOException {
    Path cut = file("cut.jsonl", "{\"a\": 1}\n{\"a\": [1, {\"b\"");
    List<Row> rows = Rows.all(new JsonRows(cut));
    assertThat(rows).hasSize(2);
    assertThatThrownBy(() -> rows.get(1).text("a"))
        .hasMessageContaining("row 2, line 2, column 15")
        .hasMessageContaining("got the end of the text");
  }

  @Test
  void refusesWhatStandsBetweenRows() throws IOException {
    Path commas = file("commas.jsonl", "{\"a\": 1},\n{\"a\": 2},\n");
    refused(
        commas, ", line 1, column 9: after a row, expected an object ({...}) for each row, got ,");
  }

  @Test
  void readsWhatPythonReads() throws IOException {
    String two =
        "{\"a\": NaN, \"b\": -Infinity}{\"a\": 1e400, \"b\": 123456789012345678901234567890}";
    List<Row> rows = Rows.all(new JsonRows(file("two.jsonl", two)));
    assertThat(rows).hasSize(2);
    assertThat(rows.get(0).text("a")).isEqualTo("NaN");
    assertThat(rows.get(0).text("b")).isEqualTo("-Infinity");
    assertThat(rows.get(1).text("b")).isEqualTo("123456789012345678901234567890");
    String pretty = "{\n  \"a\": \"x\",\n  \"b\": {\n\"c\": 1}\n}\n{\n  \"a\": \"y\"\n}\n";
    assertThat(Rows.all(new JsonRows(file("pretty.jsonl", pretty))))
        .map(r -> r.text("a"))
        .containsExactly("x", "y");
  }

  /** As answers, numbers are written as Python's json writes them, not as Java does. */
  @ParameterizedTest
  @CsvSource({
    "4, 4",
    "1.23456789123E8, 123456789.123",
    "1e-7, 1e-07",
    "0.0001, 0.0001",
    "1E16, 1e+16",
    "1.0, 1.0",
    "true, true",
  })
  void writesNumbersAsPythonDoes(String json, String text) throws IOException {
    Row row = Rows.all(new JsonRows(file("n.jsonl", "{\"a\": " + json + "}"))).getFirst();
    assertThat(row.text("a")).isEqualTo(text);
  }

  @Test
  void skipsColumnsThatNobodyReads() throws IOException {
    String deep = "[".repeat(5000) + "]".repeat(5000);
    Path file =
        file("deep.jsonl", "{\"x\": " + deep + ", \"a\": 1, \"y\": {\"z\": [1]}}\n{\"a\": 2}\n");
    List<Row> rows = Rows.all(new JsonRows(file).only(Projection.of(List.of("a"))));
    assertThat(rows).map(Row::values).isEqualTo(List.of(Map.of("a", 1), Map.of("a", 2)));
    assertThatThrownBy(() -> rows.getFirst().text("b"))
        .hasMessageContaining("there is no column 'b'; the columns are [x, a, y]");
    assertThatThrownBy(() -> Rows.all(new JsonRows(file)).getFirst().values())
        .hasMessageContaining("nested more than 500 deep");
  }

  @Test
  void readsRowsThatOneObjectWraps() throws IOException {
    Projection a = Projection.of(List.of("a"));
    String rows = "[{\"a\": 1}, {\"a\": 2}]";
    Path data = file("data.json", "{\"version\": 1, \"data\": " + rows + ", \"n\": 2}");
    Path train = file("train.json", "{\"train\": " + rows + ", \"test\": [{\"a\": 9}]}");
    for (Path wrapped : List.of(data, train)) {
      assertThat(Rows.all(new JsonRows(wrapped).only(a)))
          .map(r -> r.text("a"))
          .containsExactly("1", "2");
    }
    Path own = file("own.json", "{\"data\": " + rows + "}");
    assertThat(Rows.all(new JsonRows(own).only(Projection.of(List.of("data"))))).hasSize(1);
    Path both = file("both.json", "{\"data\": " + rows + ", \"a\": 3}");
    assertThatThrownBy(() -> Rows.all(new JsonRows(both).only(a)))
        .hasMessageContaining("it is not clear what its rows are");
  }

  /** As pandas writes a table unless it is told to write records. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"q\": [\"a\", \"b\"], \"a\": [\"x\", \"y\"]}",
        "{\"q\": {\"0\": \"a\", \"1\": \"b\"}, \"a\": {\"0\": \"x\", \"1\": \"y\"}}",
      })
  void saysWhatATableOfColumnsIs(String table) throws IOException {
    Path file = file("columns.json", table + "\n");
    Row row = Rows.all(new JsonRows(file)).getFirst();
    assertThatThrownBy(() -> row.text("q"))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageStartingWith(file + ", row 1: column 'q' should hold text, but holds a ")
        .hasMessageEndingWith(
            " So do all its columns: it looks like a whole table, written column by column. Write an object for each row, in pandas with to_json(FILE, orient=\"records\", lines=True).");
    Row list = Rows.all(new JsonRows(file("list.json", "{\"q\": [1], \"a\": 2}"))).getFirst();
    assertThatThrownBy(() -> list.text("q"))
        .hasMessageEndingWith("column 'q' should hold text, but holds a list.");
  }

  @Test
  void readsOtherEncodingsByTheirMarkAndNamesThem() throws IOException {
    byte[] marked = "\uFEFF{\"a\": \"Grüße\"}\n".getBytes(StandardCharsets.UTF_16LE);
    Path utf16 = Files.write(folder.resolve("utf16.jsonl"), marked);
    assertThat(Rows.all(new JsonRows(utf16)).getFirst().text("a")).isEqualTo("Grüße");
    Path bare =
        Files.write(folder.resolve("bare.jsonl"), Arrays.copyOfRange(marked, 2, marked.length));
    refused(bare, "as in UTF-16 without a byte order mark");
    byte[] latin = "{\"a\": 1}\n{\"a\": \"caf\u00e9\"}\n".getBytes(StandardCharsets.ISO_8859_1);
    Path latin1 = Files.write(folder.resolve("latin1.jsonl"), latin);
    refused(latin1, ", line 2, column 11: expected UTF-8, got the byte 0xE9");
    refused(latin1, "iconv -f WINDOWS-1252 -t UTF-8");
    Path csv =
        Files.write(
            folder.resolve("latin1.csv"),
            "a,b\n1,caf\u00e9\n".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> Rows.all(new CsvRows(csv)))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining(", line 2, column 6: expected UTF-8, got the byte 0xE9");
  }

  @Test
  void readsCompressedText() throws IOException {
    byte[] plain = "{\"a\": 1}\n{\"a\": 2}\n".repeat(20_000).getBytes(StandardCharsets.UTF_8);
    Path zipped = folder.resolve("a.jsonl.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(zipped))) {
      out.write(plain);
    }
    Path zstd = Files.write(folder.resolve("a.jsonl.zst"), Zstd.compress(plain));
    for (Path file : List.of(zipped, zstd)) {
      assertThat(Rows.all(new JsonRows(file))).hasSize(40_000);
      byte[] whole = Files.readAllBytes(file);
      Path cut =
          Files.write(
              folder.resolve("cut-" + file.getFileName()), Arrays.copyOf(whole, whole.length / 2));
      refused(cut, "the compressed data are cut short or damaged");
    }
  }

  /** Longer than any buffer on the way, and around its borders. */
  @Test
  void readsLongLines() throws IOException {
    for (int length : new int[] {65_520, 65_536, 200_000}) {
      String text = "ä👋".repeat(length / 3);
      Path file = file("long.jsonl", "{\"a\": \"" + text + "\"}\nbad\n{\"a\": \"" + text + "\"}\n");
      List<Row> rows = Rows.all(new JsonRows(file));
      assertThat(rows).hasSize(3);
      assertThat(rows.get(0).text("a")).isEqualTo(text);
      assertThat(rows.get(2).text("a")).isEqualTo(text);
      assertThatThrownBy(() -> rows.get(1).text("a"))
          .hasMessageContaining("row 2, line 2, column 1");
    }
  }

  /** Line feeds, carriage returns and both end a line, wherever the buffers on the way end. */
  @ParameterizedTest
  @ValueSource(strings = {"\n", "\r", "\r\n"})
  void linesEndInThreeWays(String end) throws IOException {
    for (int length : new int[] {1, 65_511, 65_512, 65_513, 65_514, 65_515, 65_516}) {
      String text = "x".repeat(length);
      String ok = "{\"a\": \"" + text + "\"}";
      Path file = file("a.jsonl", String.join(end, ok, "{\"a\": Paris}", "", ok, "[3]") + end);
      List<Row> rows = Rows.all(new JsonRows(file));
      assertThat(rows).hasSize(4);
      assertThat(rows.get(0).text("a")).isEqualTo(text);
      assertThat(rows.get(2).text("a")).isEqualTo(text);
      assertThatThrownBy(() -> rows.get(1).text("a"))
          .hasMessageContaining(file + ", row 2, line 2, column 7: not valid JSON");
      assertThatThrownBy(() -> rows.get(3).text("a"))
          .hasMessageContaining(file + ", row 4, line 5, column 1: not valid JSON");

      Path csv =
          file("a.csv", String.join(end, "a;b,c;d", text + ";\"2\n3\";", "4;5;6", "7;8;\"9"));
      assertThatThrownBy(() -> Rows.all(new CsvRows(csv)))
          .hasMessageContaining(csv + ", row 3, line 5: not valid CSV: expected ';'");
      Path whole = file("b.csv", String.join(end, "a;b,c;d", text + ";\"2\n3\";", "4;5;6"));
      assertThat(Rows.all(new CsvRows(whole)))
          .map(Row::values)
          .isEqualTo(
              List.of(
                  Map.of("a", text, "b,c", "2\n3", "d", ""),
                  Map.of("a", "4", "b,c", "5", "d", "6")));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {",", ";", "\t"})
  void findsWhatSeparatesValues(String separator) throws IOException {
    String text =
        String.join(separator, "instruction", "\"in,;\tput\"", "output")
            + "\n"
            + String.join(separator, "a", "", "b")
            + "\n\n";
    List<Row> rows = Rows.all(new CsvRows(file("a.csv", "\uFEFF" + text)));
    assertThat(rows)
        .map(Row::values)
        .isEqualTo(List.of(Map.of("instruction", "a", "in,;\tput", "", "output", "b")));
    assertThat(Rows.all(new CsvRows(file("b.csv", text)).only(Projection.of(List.of("output")))))
        .map(Row::values)
        .isEqualTo(List.of(Map.of("output", "b")));
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
    Path ragged = file("a.csv", "a,b\n1,2\n1,2,3\n3,4\n");
    List<Row> rows = Rows.all(new CsvRows(ragged));
    assertThat(rows).hasSize(3);
    assertThat(rows.get(2).text("b")).isEqualTo("4");
    assertThatThrownBy(() -> rows.get(1).text("b"))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining(
            ragged
                + ", row 2: expected 2 values separated by ',', one for each of the columns [a, b], got 3");
    Path quote = file("b.csv", "a,b\n1,2\n3,\"4\n");
    assertThatThrownBy(() -> Rows.all(new CsvRows(quote)))
        .hasMessageContaining(quote + ", row 2, line 4: not valid CSV: expected ','");
    Path twice = file("c.csv", "a,a\n1,2\n");
    assertThatThrownBy(() -> new CsvRows(twice).open()).hasMessageContaining("twice: [a, a]");
  }

  private void refused(Path file, String problem) {
    assertThatThrownBy(() -> Rows.all(new JsonRows(file)))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(problem)
        .message()
        .doesNotContain("Jackson", "Source", "REDACTED");
  }

  private Path file(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }
}
