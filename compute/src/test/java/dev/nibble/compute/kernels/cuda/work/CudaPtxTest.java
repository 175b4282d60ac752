package dev.nibble.compute.kernels.cuda.work;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The PTX that is shipped is of the sources beside it. Needs no CUDA. */
final class CudaPtxTest {
  private static final Path SOURCES = Path.of("src/main/cuda");
  private static final String ADVICE = "run compute/src/main/cuda/build";

  private static List<String> names(String ending) throws IOException {
    try (Stream<Path> files = Files.list(SOURCES)) {
      return files
          .map(f -> f.getFileName().toString())
          .filter(f -> f.endsWith(ending))
          .sorted()
          .toList();
    }
  }

  private static List<String> kernelFiles() throws IOException {
    return names(".cu").stream().map(f -> f.substring(0, f.length() - 3)).toList();
  }

  @Test
  void theSetLoadsEachFileOfSources() throws IOException {
    assertThat(Programs.FILES).containsExactlyElementsOf(kernelFiles());
  }

  @ParameterizedTest
  @MethodSource("kernelFiles")
  void ptxIsOfItsSources(String file) throws Exception {
    MessageDigest sha = MessageDigest.getInstance("SHA-256");
    sha.update(Files.readAllBytes(SOURCES.resolve(file + ".cu")));
    for (String header : names(".cuh")) {
      sha.update(Files.readAllBytes(SOURCES.resolve(header)));
    }
    assertThat(Programs.ptx(file).lines().limit(20))
        .as("%s.ptx; %s", file, ADVICE)
        .contains(
            "// SHA-256 of %s.cu and the headers: %s"
                .formatted(file, HexFormat.of().formatHex(sha.digest())),
            ".version 7.8",
            ".target sm_80");
  }

  /** Every kernel of the sources, in each of its variants, is in the PTX. */
  @ParameterizedTest
  @MethodSource("kernelFiles")
  void ptxHasKernels(String file) {
    assertThat(Parameters.of(Programs.ptx(file)))
        .as("%s.ptx; %s", file, ADVICE)
        .isNotEmpty()
        .allSatisfy((name, parameters) -> {
          assertThat(name).matches(Pattern.compile("[a-z0-9_]+"));
          assertThat(parameters.count()).isPositive();
        });
  }
}
