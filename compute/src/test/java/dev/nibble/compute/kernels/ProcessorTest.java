package dev.nibble.compute.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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

  @Test
  void ofArmOnLinuxHasNumbersForAName() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("cpuinfo"),
            """
            processor\t: 0
            BogoMIPS\t: 2000.00
            Features\t: fp asimd sve bf16
            CPU implementer\t: 0x41
            CPU architecture: 8
            CPU variant\t: 0x0
            CPU part\t: 0xd4f
            """);
    Processor processor = Processor.read(file);
    assertThat(processor.name())
        .isEqualTo(System.getProperty("os.arch") + ", implementer 0x41, part 0xd4f");
    assertThat(processor.flags()).containsExactlyInAnyOrder("fp", "asimd", "sve", "bf16");
  }

  @Test
  void ofAMacIsWhatSysctlPrints() {
    Processor processor =
        Processor.ofMac(
            List.of(
                "machdep.cpu.brand_string: Apple M2 Pro",
                "hw.optional.arm.FEAT_BF16: 1",
                "hw.optional.arm.FEAT_SME: 0",
                "hw.optional.arm.AdvSIMD: 1"));
    assertThat(processor.name()).isEqualTo("Apple M2 Pro");
    assertThat(processor.flags()).containsExactly("bf16");
    assertThat(Processor.ofMac(List.of()).name()).isEqualTo(System.getProperty("os.arch"));
  }

  @Test
  void onWindowsHasTheNameOfItsVariable() {
    Processor processor = Processor.ofWindows("Intel64 Family 6 Model 154, GenuineIntel ");
    assertThat(processor.name()).isEqualTo("Intel64 Family 6 Model 154, GenuineIntel");
    assertThat(processor.flags()).isEmpty();
    assertThat(Processor.ofWindows("").name()).isEqualTo(System.getProperty("os.arch"));
  }
}
