package dev.nibble.compute.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OwnerOnlyTest {
  @TempDir private Path temp = Path.of("");

  private static String permissions(Path path) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  @Test
  void foldersOfCodeAreTheUsersAlone() throws IOException {
    OwnerOnly.createCodeFolder(temp.resolve("cache/library"));
    assertThat(permissions(temp.resolve("cache"))).isEqualTo("rwx------");
    assertThat(permissions(temp.resolve("cache/library"))).isEqualTo("rwx------");
    OwnerOnly.createCodeFolder(temp.resolve("cache/library"));
  }

  @Test
  void foldersThatOthersMayChangeAreRefused() throws IOException {
    Path folder = Files.createDirectory(temp.resolve("shared"));
    Set<PosixFilePermission> all = PosixFilePermissions.fromString("rwxrwxrwx");
    Files.setPosixFilePermissions(folder, all);
    assertThatThrownBy(() -> OwnerOnly.createCodeFolder(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("every user may write in " + folder + " (rwxrwxrwx)");
  }

  @Test
  void foldersOfOtherUsersAreRefused() {
    Set<PosixFilePermission> own = PosixFilePermissions.fromString("rwx------");
    assertThatThrownBy(() -> OwnerOnly.requireOwn(temp, 1000, 1001, own))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(
            temp + " belongs to another user (1000, and this process runs as 1001)");
  }

  @Test
  void foldersOfTheSystemAreTaken() throws IOException {
    OwnerOnly.requireOwn(temp, 0, 1001, PosixFilePermissions.fromString("rwxrwxr-x"));
  }

  @Test
  void filesAreTheUsersAlone() throws IOException {
    Path file = Files.createFile(temp.resolve("state"), OwnerOnly.file(temp));
    assertThat(permissions(file)).isEqualTo("rw-------");
  }

  /** Whoever knows the name of the result knows that of the file that is written first. */
  @Test
  void atomicFilesAreNotWrittenThroughLinksOfOthers() throws IOException {
    Path victim = Files.writeString(temp.resolve("victim"), "precious");
    Files.createSymbolicLink(temp.resolve("result.tmp"), victim);
    AtomicFile.write(temp.resolve("result"), "new".getBytes(StandardCharsets.UTF_8));
    assertThat(victim).hasContent("precious");
    assertThat(temp.resolve("result")).hasContent("new").isRegularFile();
    assertThat(temp.resolve("result.tmp")).doesNotExist();
  }
}
