package dev.nibble.data.rows;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.Rows;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowPrefixTest {
  private final RowSource threeRows = Rows.generated("three", 3, i -> "text " + i);

  @ParameterizedTest
  @CsvSource({"1, 1", "2, 2", "3, 3", "4, 3"})
  void endsAfterItsRows(long limit, int expected) {
    RowPrefix prefix = new RowPrefix(threeRows, limit);
    for (int time = 0; time < 2; time++) {
      assertThat(Rows.all(prefix))
          .extracting(row -> row.text("text"))
          .startsWith("text 0")
          .hasSize(expected)
          .doesNotHaveDuplicates();
    }
    assertThat(prefix.columns()).containsExactly("text");
  }

  @Test
  void refusesToHoldNothing() {
    assertThatThrownBy(() -> new RowPrefix(threeRows, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("three");
  }
}
