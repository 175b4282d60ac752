package dev.nibble.data.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.Golden;
import dev.nibble.data.Rows;
import dev.nibble.data.rows.InvalidDataset;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetsTest {
  @TempDir Path folder;

  @Test
  void refusesWhatIsNoDataset() throws IOException {
    refused(folder.resolve("none.jsonl"), "no such file or folder");
    refused(folder, "holds no dataset");
    refused(
        Files.writeString(folder.resolve("a.xlsx"), "PK"), "unknown kind of file; expected Arrow");
    refused(Files.writeString(folder.resolve("a.jsonl"), ""), "the file is empty");
    refused(Files.writeString(folder.resolve("a.arrow"), "{\"a\": 1}"), "is no Arrow data");
    refused(Files.writeString(folder.resolve("a.parquet"), "{\"a\": 1}"), "is no Parquet data");
  }

  @Test
  void knowsArrowAndParquetByContent() throws IOException {
    Path arrow = folder.resolve("rows.bin");
    Files.copy(Golden.path("datasets", "alpaca_dict", "test", "data-00000-of-00001.arrow"), arrow);
    assertThat(Rows.all(Datasets.open(arrow))).hasSize(50);
    Path parquet = folder.resolve("rows");
    Files.copy(Golden.path("datasets", "alpaca.parquet"), parquet);
    assertThat(Rows.all(Datasets.open(parquet))).hasSize(250);
  }

  @Test
  void saysWhichSplitsThereAre() {
    Path dict = Golden.path("datasets", "alpaca_dict");
    refused(dict, "[train, test]");
    assertThatThrownBy(() -> Datasets.open(dict, Optional.of("tets")))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining("no split 'tets'")
        .hasMessageContaining("Did you mean 'test'?");
    assertThatThrownBy(
            () -> Datasets.open(Golden.path("datasets", "alpaca.jsonl"), Optional.of("train")))
        .hasMessageContaining("has no split 'train'");
  }

  @Test
  void readsShardsInTheOrderOfTheirNames() throws IOException {
    Files.writeString(folder.resolve("train-00001.jsonl"), "{\"a\": 2}");
    Files.writeString(folder.resolve("train-00000.jsonl"), "{\"a\": 0}\n{\"a\": 1}");
    Files.writeString(folder.resolve("test-00000.jsonl"), "{\"a\": 9}");
    assertThat(Rows.all(Datasets.open(folder, Optional.of("train"))))
        .map(r -> r.text("a"))
        .containsExactly("0", "1", "2");
    assertThat(Rows.all(Datasets.open(folder))).hasSize(4);
    Files.writeString(folder.resolve("b.csv"), "a\n1\n");
    refused(folder, "several kinds");
  }

  @Test
  void checksTheShardsThatAStateNames() throws IOException {
    Path state = folder.resolve("state.json");
    Files.writeString(state, "{\"_data_files\": [{\"filename\": \"data-0.arrow\"}]}");
    refused(folder, "names the data file 'data-0.arrow', which is missing");
    Files.writeString(state, "{\"_data_files\": [{\"filename\": \"../x.arrow\"}]}");
    refused(folder, "'../x.arrow' is not inside the folder");
    Files.writeString(state, "{\"_data_files\": []}");
    refused(folder, "names no data files");
    Files.writeString(state, "{\"_data");
    refused(folder, "not valid JSON");
  }

  @Test
  void saysThatParquetIsDamaged() throws IOException {
    byte[] bytes = Files.readAllBytes(Golden.path("datasets", "alpaca.parquet"));
    Path file = folder.resolve("cut.parquet");
    Files.write(file, Arrays.copyOf(bytes, bytes.length / 2));
    assertThatThrownBy(() -> Rows.all(Datasets.open(file)))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("cannot be read as Parquet");
  }

  private static void refused(Path path, String message) {
    assertThatThrownBy(() -> Datasets.open(path))
        .isInstanceOf(InvalidDataset.class)
        .hasMessageContaining(path.toString())
        .hasMessageContaining(message);
  }
}
