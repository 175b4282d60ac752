package dev.nibble.compute.kernels.cuda.cublas;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.kernels.Platform.Os;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where cuBLAS is looked for. */
final class CublasFilesTest {
  @TempDir private Path home;

  private String file(String path) throws IOException {
    Path file = home.resolve(path);
    Files.createDirectories(file.resolveSibling("x").getParent());
    return Files.createFile(file).toString();
  }

  @Test
  void onLinux() throws IOException {
    String file = file("lib64/libcublas.so.12");
    assertThat(Cublas.files(Os.LINUX, Map.of("CUDA_HOME", home.toString()), 12))
        .startsWith("libcublas.so.12", file);
    assertThat(Cublas.files(Os.LINUX, Map.of("CUDA_HOME", home.toString()), 11))
        .startsWith("libcublas.so.11")
        .doesNotContain(file);
  }

  @Test
  void onWindowsInBothFoldersOfItsVersions() throws IOException {
    Map<String, String> environment = Map.of("CUDA_PATH", home.toString());
    String twelve = file("bin/cublas64_12.dll");
    String thirteen = file("bin/x64/cublas64_13.dll");
    assertThat(Cublas.files(Os.WINDOWS, environment, 12))
        .containsExactly("cublas64_12.dll", twelve);
    assertThat(Cublas.files(Os.WINDOWS, environment, 13))
        .containsExactly("cublas64_13.dll", thirteen);
    assertThat(Cublas.files(Os.WINDOWS, Map.of(), 13)).containsExactly("cublas64_13.dll");
  }

  @Test
  void bringsTheLibraryThatItNeeds() {
    assertThat(Cublas.light("libcublas.so.12")).isEqualTo("libcublasLt.so.12");
    assertThat(Cublas.light("cublas64_13.dll")).isEqualTo("cublasLt64_13.dll");
    assertThat(Cublas.light("libemulator.so")).isEqualTo("libemulator.so");
  }
}
