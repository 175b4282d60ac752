package dev.nibble.data.files;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.data.Golden;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.RowCursor;
import dev.nibble.data.rows.RowSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Every way in which the datasets library saves rows gives the same rows. */
@Tag("golden")
class GoldenDatasetsTest {
  private static final List<String> ALPACA = List.of("instruction", "input", "output");

  @Test
  void alpacaRowsAreEqualInEveryFormat() {
    var expected = rows("alpaca.jsonl", "");
    assertThat(expected).hasSizeGreaterThan(200);
    assertThat(rows("alpaca_arrow", "")).isEqualTo(expected);
    assertThat(rows("alpaca.parquet", "")).isEqualTo(expected);
    var splits =
        Stream.concat(rows("alpaca_dict", "train").stream(), rows("alpaca_dict", "test").stream());
    assertThat(splits.toList()).isEqualTo(expected);
  }

  @Test
  void columnsAreKnownBeforeReading() {
    for (String name : List.of("alpaca.jsonl", "alpaca_arrow", "alpaca.parquet")) {
      assertThat(Datasets.open(Golden.path("datasets", name)).columns()).isEqualTo(ALPACA);
    }
  }

  @Test
  void savedShardsAreReadInTheirOrder() {
    RowSource source = Datasets.open(Golden.path("datasets", "alpaca_arrow"));
    assertThat(source.shards()).hasSize(2);
    assertThat(source.shards().getFirst().describe()).endsWith("data-00000-of-00002.arrow");
  }

  @Test
  void listsOfStructsAreReadFromArrow() {
    var alpaca = rows("alpaca.jsonl", "").subList(0, 40);
    var expected =
        alpaca.stream()
            .map(r ->
                Map.of(
                    "messages",
                    List.of(
                        Map.of("role", "user", "content", r.get("instruction")),
                        Map.of("role", "assistant", "content", r.get("output")))))
            .toList();
    assertThat(rows("messages_arrow", "")).isEqualTo(expected);
  }

  @Test
  void nestedListsAreReadFromJson() {
    assertThat(rows("sharegpt.jsonl", "")).hasSize(40).first().asString().contains("from=system");
  }

  private static List<Map<String, @Nullable Object>> rows(String name, String split) {
    RowSource source =
        Datasets.open(Golden.path("datasets", name), Optional.of(split).filter(s -> !s.isEmpty()));
    List<Map<String, @Nullable Object>> rows = new ArrayList<>();
    try (RowCursor cursor = source.open()) {
      while (cursor.advance()) {
        Row row = cursor.row();
        rows.add(row.values());
      }
    }
    return rows;
  }
}
