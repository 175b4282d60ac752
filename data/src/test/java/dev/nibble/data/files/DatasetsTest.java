package dev.nibble.data.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.data.Golden;
import dev.nibble.data.Rows;
import dev.nibble.data.rows.InvalidDataset;
import dev.nibble.data.rows.RowSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
    assertThat(Rows.all(Datasets.open(dict))).hasSize(200);
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
    assertThat(Rows.all(Datasets.open(folder))).hasSize(3);
    Files.writeString(folder.resolve("train.csv"), "a\n1\n");
    refused(folder, "several kinds");
  }

  /** As the {@code datasets} library finds them: whole words, in folders first, else in names. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "train.jsonl valid.jsonl test.jsonl                                    | train.jsonl",
        "data/train-00000-of-00001.jsonl data/train_sft-00000-of-00001.jsonl   | data/train-00000-of-00001.jsonl",
        "data/train-00000-of-00002.jsonl data/train-00001-of-00002.jsonl data/test-00000-of-00001.jsonl | data/train-00000-of-00002.jsonl data/train-00001-of-00002.jsonl",
        "train/a.jsonl train/b/c.jsonl test/a.jsonl                            | train/a.jsonl train/b/c.jsonl",
        "my-training-set.jsonl my_dev.jsonl                                    | my-training-set.jsonl",
        "train-clean.jsonl train-noisy.jsonl                                   | train-clean.jsonl train-noisy.jsonl",
        "devices.jsonl latest.jsonl trainer.jsonl                              | devices.jsonl latest.jsonl trainer.jsonl",
        "only_test.jsonl                                                       | only_test.jsonl",
        "a.jsonl .a.jsonl.swp .b.jsonl ._c.jsonl ~d.jsonl __x/e.jsonl .git/f.jsonl | a.jsonl",
        "a.jsonl README.md config.json dataset_infos.json LICENSE               | a.jsonl",
      })
  void findsTheRowsToTrainOn(String names, String expected) throws IOException {
    for (String name : names.strip().split(" +", -1)) {
      Path file = folder.resolve(name);
      Files.createDirectories(file.getParent());
      Files.writeString(file, "{\"name\": \"" + name + "\"}");
    }
    assertThat(Rows.all(Datasets.open(folder)))
        .map(r -> r.text("name"))
        .containsExactly(expected.strip().split(" +", -1));
  }

  @Test
  void findsTheSplitAskedFor() throws IOException {
    for (String name : List.of("train", "valid", "test", "extra")) {
      Files.writeString(folder.resolve(name + ".jsonl"), "{\"name\": \"" + name + "\"}");
    }
    for (String asked : List.of("validation", "valid", "val", "dev")) {
      assertThat(Rows.all(Datasets.open(folder, Optional.of(asked))))
          .map(r -> r.text("name"))
          .containsExactly("valid");
    }
    assertThat(Rows.all(Datasets.open(folder, Optional.of("extra")))).hasSize(1);
    assertThatThrownBy(() -> Datasets.open(folder, Optional.of("tets")))
        .hasMessageContaining("has no split 'tets', only [test, train, validation]")
        .hasMessageContaining("Did you mean 'test'?");
    Files.delete(folder.resolve("train.jsonl"));
    refused(folder, "has the splits [test, validation]; say which to use");
  }

  @Test
  void anEmptyShardHasNoRows() throws IOException {
    Files.writeString(folder.resolve("a.jsonl"), "{\"a\": 1}");
    Files.writeString(folder.resolve("b.jsonl"), "");
    assertThat(Rows.all(Datasets.open(folder))).hasSize(1);
    Files.delete(folder.resolve("a.jsonl"));
    refused(folder, "holds no dataset");
    Files.createSymbolicLink(folder.resolve("c.jsonl"), folder.resolve("gone"));
    refused(folder.resolve("c.jsonl"), "no such file");
    assertThatThrownBy(() -> Datasets.open(folder))
        .hasMessageContaining("c.jsonl: is a link to a file that is missing");
  }

  @Test
  void readsAPattern() throws IOException {
    Files.createDirectories(folder.resolve("parts/more"));
    for (String name :
        List.of(
            "parts/a.jsonl",
            "parts/b.jsonl",
            "parts/c.csv",
            "parts/more/d.jsonl",
            "parts/.e.jsonl")) {
      Files.writeString(
          folder.resolve(name), name.endsWith("csv") ? "name\nc" : "{\"name\": \"" + name + "\"}");
    }
    assertThat(Rows.all(Datasets.open(folder.resolve("parts/*.jsonl"))))
        .map(r -> r.text("name"))
        .containsExactly("parts/a.jsonl", "parts/b.jsonl");
    assertThat(Rows.all(Datasets.open(folder.resolve("p*/[ab].jsonl")))).hasSize(2);
    assertThat(Rows.all(Datasets.open(folder.resolve("parts/**/*.jsonl")))).hasSize(3);
    refused(folder.resolve("parts/x*.jsonl"), "no file with rows matches");
  }

  @Test
  void asksWhichDatasetOfAPageIsMeant() throws IOException {
    Path page = folder.resolve("README.md");
    Files.writeString(folder.resolve("a.jsonl"), "{\"a\": 1}");
    Files.writeString(
        page,
        "---\nconfigs:\n- config_name: default\n  data_files: x\n---\n# Rows\nconfig_name: other");
    assertThat(Rows.all(Datasets.open(folder))).hasSize(1);
    Files.writeString(page, "---\nconfigs:\n- config_name: en\n- config_name: fr\n---\n");
    refused(folder, "is several datasets, which README.md calls [en, fr]");
  }

  @Test
  void knowsJsonWithoutAnEnding() throws IOException {
    assertThat(Rows.all(Datasets.open(Files.writeString(folder.resolve("rows"), " {\"a\": 1}"))))
        .hasSize(1);
    refused(
        Files.writeString(folder.resolve("rows.txt"), "Once upon a time"), "unknown kind of file");
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
    refused(folder, "state.json, line 1, column 8: not valid JSON");
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

  @Test
  void aPathStandsForTheFilesThatItsRowsComeFrom(@TempDir Path folder) throws IOException {
    String rows = "{\"text\": \"a\"}\n";
    Path flat = Files.writeString(folder.resolve("a.jsonl"), rows);
    Path deep =
        Files.writeString(Files.createDirectories(folder.resolve("more")).resolve("b.jsonl"), rows);
    Path described = Files.writeString(folder.resolve("state.json"), "{}");
    Files.writeString(folder.resolve(".c.jsonl"), rows);
    Path pattern = folder.resolve("**/*.jsonl");
    assertThat(Datasets.files(pattern)).containsExactly(flat, deep);
    assertThat(Datasets.open(pattern).shards())
        .extracting(RowSource::describe)
        .containsExactly(flat.toString(), deep.toString());
    assertThat(Datasets.files(folder)).containsExactly(flat, deep, described);
    assertThat(Datasets.files(flat)).containsExactly(flat);
    assertThat(Datasets.files(folder.resolve("none.jsonl"))).isEmpty();
  }
}
