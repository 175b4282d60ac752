package dev.nibble.examples.wordnet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.examples.ProgramException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SavedDatasetTest {
  @TempDir private Path folder;

  @Test
  void readsBackWhatItWroteAcrossBatchesAndShards() throws IOException {
    Table table =
        new Table(
            List.of("a", "b"),
            IntStream.range(0, 70_001)
                .mapToObj(i -> List.of("é" + i, i % 2 == 0 ? "" : "x"))
                .toList());
    SavedDataset.writeSplits(folder.resolve("set"), Map.of("train", table), "", "");
    assertThat(folder.resolve("set/train/data-00001-of-00002.arrow")).isRegularFile();
    assertThat(SavedDataset.read(folder.resolve("set/train"))).isEqualTo(table);
  }

  @Test
  void aTableWithoutRowsIsOneEmptyShard() throws IOException {
    Table empty = new Table(List.of("a"), List.of());
    SavedDataset.write(folder.resolve("empty"), "train", empty, "", "");
    assertThat(SavedDataset.read(folder.resolve("empty"))).isEqualTo(empty);
  }

  @Test
  void saysWhatIsNoDataset() {
    assertThatThrownBy(() -> SavedDataset.read(folder))
        .isInstanceOf(ProgramException.class)
        .hasMessageContainingAll(folder.toString(), "state.json");
  }
}
