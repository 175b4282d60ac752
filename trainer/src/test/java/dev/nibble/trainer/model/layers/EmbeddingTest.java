package dev.nibble.trainer.model.layers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class EmbeddingTest {

  /** The widths of Gemma 2 and 3 models. */
  @ParameterizedTest
  @CsvSource({
    "1152, BF16, 34",
    "2304, BF16, 48",
    "2560, BF16, 50.5",
    "3584, BF16, 59.75",
    "3840, BF16, 62",
    "5376, BF16, 73.5",
    "3072, BF16, 55.5",
    "3072, F32, 55.425625",
    "2304, F16, 48"
  })
  void theScaleIsRoundedToTheTable(int hidden, DType dtype, float scale) {
    try (Scope scope = Scope.open("test", Memory.host())) {
      Embedding e = new Embedding(scope.allocate("t/table", dtype, 1, hidden), Optional.empty());
      assertThat((float) e.scaled().scale()).isEqualTo(scale);
    }
  }
}
