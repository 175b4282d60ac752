package dev.nibble.compute.kernels.nd4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Nd4jKernelSetTest {
  @Test
  void librariesAreUnpackedIntoTheHomeOrNotAtAll(@TempDir Path temp) throws Exception {
    Path cache = temp.resolve("home/.javacpp/cache");
    assertThat(Nd4jKernelSet.noCacheBecause(cache)).isEmpty();
    assertThat(cache).isDirectory();
    Path file = Files.createFile(temp.resolve("file"));
    assertThat(Nd4jKernelSet.noCacheBecause(file).orElseThrow())
        .startsWith("its libraries cannot be unpacked into " + file + ": ")
        .contains("-Dorg.bytedeco.javacpp.cachedir=FOLDER");
    assertThat(new Nd4jKernelSet().unavailableBecause()).isEmpty();
    assertThat(System.getProperty("org.bytedeco.javacpp.cachedir"))
        .isEqualTo(System.getProperty("user.home") + "/.javacpp/cache");
  }
}
