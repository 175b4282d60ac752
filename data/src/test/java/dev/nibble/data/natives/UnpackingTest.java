package dev.nibble.data.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class UnpackingTest {
  private final List<Path> folders = new ArrayList<>();

  /** As libraries do. */
  private void unpack(File folder) {
    folders.add(folder.toPath());
    try {
      Files.writeString(File.createTempFile("lib", ".so", folder).toPath(), "code");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.toPath())))
          .isEqualTo("rwx------");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void theFolderIsPrivateAndGoneOnceItIsLoaded() {
    Unpacking.into(folder -> unpack(folder.toFile()));
    String before = System.getProperty("java.io.tmpdir");
    Unpacking.intoTemporary(() -> unpack(new File(System.getProperty("java.io.tmpdir"))));
    assertThat(System.getProperty("java.io.tmpdir")).isEqualTo(before);
    assertThat(folders).hasSize(2).doesNotHaveDuplicates().allMatch(Files::notExists);
  }

  @Test
  void theFolderIsGoneWhenLoadingFails() {
    assertThatThrownBy(() ->
            Unpacking.into(folder -> {
              unpack(folder.toFile());
              throw new UnsatisfiedLinkError("wrong machine");
            }))
        .isInstanceOf(UnsatisfiedLinkError.class);
    assertThat(folders).hasSize(1).allMatch(Files::notExists);
  }
}
