package dev.nibble.compute.kernels.cuda.cublas;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.compute.kernels.Platform.Os;
import java.io.File;
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
    assertThat(CublasFiles.of(Os.LINUX, Map.of("CUDA_HOME", home.toString()), 12))
        .startsWith("libcublas.so.12", file);
    assertThat(CublasFiles.of(Os.LINUX, Map.of("CUDA_HOME", home.toString()), 11))
        .startsWith("libcublas.so.11")
        .doesNotContain(file);
  }

  @Test
  void onWindowsInBothFoldersOfItsVersions() throws IOException {
    Map<String, String> environment = Map.of("CUDA_PATH", home.toString());
    String twelve = file("bin/cublas64_12.dll");
    String thirteen = file("bin/x64/cublas64_13.dll");
    assertThat(CublasFiles.of(Os.WINDOWS, environment, 12))
        .containsExactly("cublas64_12.dll", twelve);
    assertThat(CublasFiles.of(Os.WINDOWS, environment, 13))
        .containsExactly("cublas64_13.dll", thirteen);
    assertThat(CublasFiles.of(Os.WINDOWS, Map.of(), 13)).containsExactly("cublas64_13.dll");
  }

  @Test
  void inTheEnvironmentsOfPython() throws IOException {
    String conda = file("conda/lib/libcublas.so.12");
    String pip12 = file("venv/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12");
    String pip13 = file("python/lib/python3.13/site-packages/nvidia/cu13/lib/libcublas.so.13");
    assertThat(Path.of(file("python/bin/python3")).toFile().setExecutable(true)).isTrue();
    Map<String, String> environment =
        Map.of(
            "CONDA_PREFIX",
            home.resolve("conda").toString(),
            "VIRTUAL_ENV",
            home.resolve("venv").toString(),
            "PATH",
            home.resolve("nothing") + File.pathSeparator + home.resolve("python/bin"));
    assertThat(CublasFiles.of(Os.LINUX, environment, 12)).endsWith(conda, pip12);
    assertThat(CublasFiles.of(Os.LINUX, environment, 13)).endsWith(pip13).doesNotContain(pip12);
  }

  @Test
  void bringsTheLibraryThatItNeeds() {
    assertThat(Cublas.light("libcublas.so.12")).isEqualTo("libcublasLt.so.12");
    assertThat(Cublas.light("cublas64_13.dll")).isEqualTo("cublasLt64_13.dll");
    assertThat(Cublas.light("libemulator.so")).isEqualTo("libemulator.so");
  }
}
