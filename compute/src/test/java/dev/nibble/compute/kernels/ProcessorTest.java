package dev.nibble.compute.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ProcessorTest {
  @TempDir private Path folder;

  @Test
  void isTheFirstOfTheFile() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("cpuinfo"),
            """
            processor\t: 0
            model name\t: Fast CPU 9
            flags\t\t: fpu sse2  avx512f
            bugs\t\t:

            processor\t: 1
            model name\t: Slow CPU 1
            flags\t\t: fpu
            """);
    Processor processor = Processor.read(file);
    assertThat(processor.name()).isEqualTo("Fast CPU 9");
    assertThat(processor.flags()).containsExactlyInAnyOrder("fpu", "sse2", "avx512f");
  }

  @Test
  void hasTheNameOfItsArchitectureWithoutTheFile() {
    Processor processor = Processor.read(folder.resolve("missing"));
    assertThat(processor.name()).isEqualTo(System.getProperty("os.arch"));
    assertThat(processor.flags()).isEmpty();
  }
}
