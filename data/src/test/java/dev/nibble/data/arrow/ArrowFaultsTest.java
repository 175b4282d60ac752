package dev.nibble.data.arrow;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.Rows;
import dev.nibble.data.rows.InvalidDataset;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Damaged files in which a number makes the Arrow library run for a long time or ask for all
 * memory.
 */
class ArrowFaultsTest {
  @TempDir Path folder;

  @ParameterizedTest
  @Timeout(20)
  @ValueSource(
      strings = {
        "arrow-11157-hang.arrow",
        "arrow-11627-oom.arrow",
        "arrow-2025-hang.arrow",
        "arrow-561-oom.arrow",
        "arrows-10038-oom.arrow",
        "arrows-11060-oom.arrow",
        "arrows-12377-hang.arrow",
        "arrows-3336-oom.arrow"
      })
  void isAnErrorAtOnce(String name) throws IOException {
    Path file = folder.resolve(name);
    try (InputStream fault =
        Objects.requireNonNull(getClass().getResourceAsStream("/faults/arrow/" + name))) {
      Files.copy(fault, file);
    }
    assertThatThrownBy(() -> Rows.all(new ArrowRows(file)))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining(file.toString())
        .hasMessageMatching("(?s).*(cannot be read as Arrow data \\(|corrupt or cut short).*")
        .hasMessageNotContaining("heap")
        .hasMessageNotContaining("not given back");
  }
}
