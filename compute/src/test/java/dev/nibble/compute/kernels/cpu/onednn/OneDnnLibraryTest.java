package dev.nibble.compute.kernels.cpu.onednn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.Platform;
import dev.nibble.compute.kernels.cpu.onednn.OneDnnLibrary.Natives;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The native library by platform. */
final class OneDnnLibraryTest {
  private static final ClassLoader EMPTY = new ClassLoader(null) {};

  @ParameterizedTest
  @CsvSource({
    "Linux, amd64, linux-x86_64, libgomp.so.1 libdnnl.so.3",
    "Linux, aarch64, linux-arm64, libgomp.so.1 libdnnl.so.3",
    "Mac OS X, aarch64, macosx-arm64, libomp.dylib libdnnl.3.dylib",
    "Mac OS X, x86_64, macosx-x86_64, libiomp5.dylib libdnnl.3.dylib",
    "Windows 11, amd64, windows-x86_64, dnnl.dll"
  })
  void hasTheFilesOfItsArtifact(String os, String arch, String classifier, String files) {
    Platform platform = Platform.of(os, arch);
    Natives natives = Natives.of(platform).orElseThrow();
    assertThat(natives.files()).isEqualTo(List.of(files.split(" ", -1)));
    assertThat(natives.folder()).isEqualTo("org/bytedeco/dnnl/" + classifier + "/");
    assertThat(OneDnnLibrary.missingBecause(platform, EMPTY).orElseThrow())
        .contains("is not on the class path", "with classifier " + classifier);
  }

  @ParameterizedTest
  @CsvSource({"Linux, riscv64", "Windows 11, aarch64", "FreeBSD, amd64"})
  void isNotShippedForOthers(String os, String arch) {
    assertThat(OneDnnLibrary.missingBecause(Platform.of(os, arch), EMPTY).orElseThrow())
        .startsWith("oneDNN is shipped for Linux");
  }

  @Test
  void isOnTheClassPathOfThisBuild() {
    assertThat(OneDnnLibrary.missingBecause()).isEmpty();
  }

  @Test
  void onlyTheUserMayChangeWhatIsLoaded(@TempDir Path temp) throws IOException {
    Natives natives = Natives.of(Platform.here()).orElseThrow();
    Path folder = OneDnnLibrary.extractTo(temp.resolve("cache"), natives);
    for (Path path : List.of(folder, folder.getParent())) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
          .isEqualTo("rwx------");
    }
    for (String file : natives.files()) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve(file))))
          .isEqualTo("rw-------");
    }
    assertThat(OneDnnLibrary.extractTo(temp.resolve("cache"), natives)).isEqualTo(folder);
  }

  @Test
  void aCacheThatOthersMayWriteToIsNotUsed(@TempDir Path temp) throws IOException {
    Natives natives = Natives.of(Platform.here()).orElseThrow();
    Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThatThrownBy(() -> OneDnnLibrary.extractTo(temp, natives))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("cannot extract oneDNN to " + temp + ": every user may write in")
        .hasMessageContaining("set XDG_CACHE_HOME to another folder");
  }
}
