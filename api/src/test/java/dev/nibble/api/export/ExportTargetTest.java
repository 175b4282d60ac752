package dev.nibble.api.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.trainer.export.ExportException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExportTargetTest {
  @TempDir private Path folder;

  private static Path fill(Path target) throws IOException {
    return Files.writeString(target.resolve("config.json"), "{}");
  }

  @Test
  void writesAWholeFolder() throws IOException {
    Path out = folder.resolve("out");
    new ExportTarget(out, false).write(ExportTargetTest::fill);
    assertThat(out.resolve("config.json")).exists();
    assertThat(folder.resolve("out.tmp")).doesNotExist();
  }

  @Test
  void aFailureLeavesWhatWasThere() throws IOException {
    Path out = folder.resolve("out");
    new ExportTarget(out, false).write(ExportTargetTest::fill);
    assertThatThrownBy(() ->
            new ExportTarget(out, true)
                .write(f -> {
                  Files.writeString(f.resolve("other"), "half");
                  throw new IOException("disk full");
                }))
        .hasMessage("disk full");
    assertThat(out.resolve("config.json")).exists();
    assertThat(out.resolve("other")).doesNotExist();
    assertThat(folder.resolve("out.tmp")).doesNotExist();
  }

  @Test
  void replacesAnExportOnlyWhenToldTo() throws IOException {
    Path out = folder.resolve("out");
    new ExportTarget(out, false).write(ExportTargetTest::fill);
    assertThatThrownBy(() -> new ExportTarget(out, false).write(ExportTargetTest::fill))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining(out.toString())
        .hasMessageContaining("Overwrite it");
    new ExportTarget(out, true).write(f -> Files.writeString(f.resolve("adapter_config.json"), ""));
    assertThat(out.resolve("config.json")).doesNotExist();
    assertThat(out.resolve("adapter_config.json")).exists();
  }

  @Test
  void neverReplacesWhatIsNoExport() throws IOException {
    Files.writeString(folder.resolve("letter.txt"), "dear");
    assertThatThrownBy(() -> new ExportTarget(folder, true).write(ExportTargetTest::fill))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("no model");
    fill(folder);
    Files.writeString(folder.resolve("recipe.resolved.yaml"), "");
    assertThatThrownBy(() -> new ExportTarget(folder, true).write(ExportTargetTest::fill))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("run");
    assertThat(folder.resolve("letter.txt")).exists();
  }

  @Test
  void filesAndFoldersAreToldApart() {
    assertThatThrownBy(() -> new ExportTarget(folder, true).checkFile())
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("expected a file");
    new ExportTarget(folder.resolve("new.gguf"), false).checkFile();
  }
}
