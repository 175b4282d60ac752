package dev.nibble.data.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.Rows;
import dev.nibble.data.files.Datasets;
import dev.nibble.data.json.JsonReader;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.Projection;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.RowSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Columns of the types that pyarrow, pandas and the {@code datasets} library write. */
class ColumnTypesTest {
  private static final Projection ALPACA = Projection.of(List.of("instruction", "input", "output"));

  /** {@code make_types.py} writes the columns, and the texts that Python makes of their values. */
  @ParameterizedTest
  @ValueSource(strings = {"types.arrow", "types.parquet"})
  void everyTypeHasPythonsText(String name) throws IOException {
    List<Row> rows = Rows.all(Datasets.open(resource(name)));
    List<?> expected =
        (List<?>)
            Objects.requireNonNull(JsonReader.parse(Files.readString(resource("types.json"))));
    assertThat(rows).hasSize(expected.size());
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      ((Map<?, ?>) expected.get(i))
          .forEach((column, text) ->
              assertThat(row.text((String) column)).as("%s, %s", name, column).isEqualTo(text));
    }
  }

  static Stream<Path> extra() {
    try (Stream<Path> files = Files.list(resource("extra"))) {
      return files.sorted().toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whatever a column that nobody asks for holds, the rows are readable. */
  @ParameterizedTest
  @MethodSource("extra")
  void aColumnThatNobodyReadsDoesNoHarm(Path file) {
    RowSource source = Datasets.open(file);
    assertThat(source.columns()).contains("extra");
    assertThat(Rows.all(source.only(ALPACA)))
        .map(Row::values)
        .isEqualTo(
            List.of(
                Map.of("instruction", "Name a bird", "input", "", "output", "wren"),
                Map.of("instruction", "Name a fish", "input", "", "output", "tench")));
    assertThat(Rows.all(source)).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource({
    "extra/binary.parquet, extra, BINARY",
    "extra/fixedbin.parquet, extra, FIXEDSIZEBINARY",
    "extra/interval.arrow, extra, INTERVAL",
    "columnar/binary.parquet, output, BINARY",
  })
  void namesAColumnWithoutATextForm(String file, String column, String type) {
    Row row = Rows.all(Datasets.open(resource(file))).getFirst();
    assertThatThrownBy(() -> row.text(column))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining(
            "row 1: column '" + column + "' should hold text, but holds a value of type")
        .message()
        .containsIgnoringCase(type);
  }

  @ParameterizedTest
  @CsvSource({
    "columnar/dateout.parquet, 2024-01-02",
    "columnar/tsout.parquet, 2024-01-02 03:04:05",
    "columnar/decout.parquet, 1.50",
    "columnar/floatout.parquet, 1e-07",
    "columnar/ree.arrow, wren",
    "columnar/view.parquet, wren",
    "columnar/dict.arrow, wren",
    "columnar/many.arrow, wren",
  })
  void readsAnswersOfOtherTypes(String file, String answer) {
    assertThat(Rows.all(Datasets.open(resource(file))).getFirst().text("output")).isEqualTo(answer);
  }

  @Test
  void saysThatACodecIsMissing() {
    assertThatThrownBy(() -> Rows.all(Datasets.open(resource("columnar/c_brotli.parquet"))))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining(
            "c_brotli.parquet: is compressed with brotli, which is not supported");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "jsonstr.parquet",
        "liststr.parquet",
        "liststruct.parquet",
        "map.parquet",
        "structlists.parquet",
        "fsl2.parquet"
      })
  void readsMessagesInEveryForm(String name) {
    List<?> messages =
        Rows.all(Datasets.open(resource("nested/" + name))).getFirst().list("messages");
    assertThat(messages)
        .asString()
        .isEqualTo("[{role=user, content=Hi}, {role=assistant, content=Yo}]");
  }

  @Test
  void readsTheTypeJson() {
    List<?> messages =
        Rows.all(Datasets.open(resource("nested/jsontype.parquet"))).getFirst().list("messages");
    assertThat(messages.get(1))
        .asString()
        .isEqualTo(
            "{role=assistant, content=null, tool_calls=[{type=function, function={name=tide, arguments={port=Brest, x=null}}}]}");
  }

  private static Path resource(String name) {
    try {
      return Path.of(
          Objects.requireNonNull(ColumnTypesTest.class.getResource("/rows/" + name), name).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }
}
