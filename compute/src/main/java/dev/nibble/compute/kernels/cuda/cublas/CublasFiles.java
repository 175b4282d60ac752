package dev.nibble.compute.kernels.cuda.cublas;

import dev.nibble.compute.kernels.Platform;
import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where cuBLAS may be: the dynamic loader's folders, an installed CUDA toolkit, a Conda
 * environment, or the packages of the Pythons on the PATH, of which PyTorch brings it along.
 */
final class CublasFiles {
  private static final String TOOLKIT = "/usr/local/cuda";

  private CublasFiles() {}

  /** What may be the library of a version: a name for the dynamic loader, then files. */
  static Stream<String> of(Platform.Os os, Map<String, String> environment, int version) {
    boolean windows = os == Platform.Os.WINDOWS;
    String name = windows ? "cublas64_" + version + ".dll" : "libcublas.so." + version;
    return Stream.concat(
        Stream.of(name),
        folders(windows, environment).stream()
            .map(folder -> folder.resolve(name))
            .filter(Files::isRegularFile)
            .map(Path::toString)
            .distinct());
  }

  private static List<Path> folders(boolean windows, Map<String, String> environment) {
    List<Path> folders = new ArrayList<>();
    for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
      named(environment, variable).forEach(home -> addToolkit(home, windows, folders));
    }
    if (!windows) {
      addToolkit(Path.of(TOOLKIT), false, folders);
    }
    for (String variable : List.of("CONDA_PREFIX", "VIRTUAL_ENV")) {
      named(environment, variable).forEach(home -> addPython(home, windows, folders));
    }
    for (String folder :
        environment.getOrDefault("PATH", "").split(Pattern.quote(File.pathSeparator), -1)) {
      Path programs = Path.of(folder);
      Path python = programs.resolve(windows ? "python.exe" : "python3");
      if (!folder.isEmpty() && Files.isExecutable(python)) {
        // A virtual environment's is a link to another's, and its packages are beside the link.
        Path home = windows ? programs : programs.resolve("..").normalize();
        addPython(home, windows, folders);
      }
    }
    return folders;
  }

  private static Stream<Path> named(Map<String, String> environment, String variable) {
    String home = environment.getOrDefault(variable, "");
    return home.isEmpty() ? Stream.empty() : Stream.of(Path.of(home));
  }

  private static void addToolkit(Path home, boolean windows, List<Path> folders) {
    if (windows) {
      folders.add(home.resolve("bin"));
      folders.add(home.resolve("bin/x64"));
    } else {
      folders.add(home.resolve("lib64"));
    }
  }

  /** Adds the folders of a Python's, or a Conda environment's, libraries. */
  private static void addPython(Path home, boolean windows, List<Path> folders) {
    folders.add(home.resolve(windows ? "Library/bin" : "lib"));
    List<Path> pythons =
        windows ? List.of(home.resolve("Lib")) : matching(home.resolve("lib"), "python3*");
    for (Path python : pythons) {
      for (String packages : List.of("site-packages", "dist-packages")) {
        // nvidia/cublas of CUDA 11 and 12, nvidia/cu13 of CUDA 13.
        for (Path toolkit : matching(python.resolve(packages).resolve("nvidia"), "cu*")) {
          folders.add(toolkit.resolve(windows ? "bin" : "lib"));
          folders.add(toolkit.resolve(windows ? "bin/x86_64" : "lib64"));
        }
      }
    }
  }

  /** Entries of a folder, in order; none where it cannot be read. */
  private static List<Path> matching(Path folder, String glob) {
    List<Path> found = new ArrayList<>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, glob)) {
        entries.forEach(found::add);
      } catch (IOException e) {
        return List.of();
      }
    }
    found.sort(null);
    return found;
  }
}
