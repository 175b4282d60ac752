package dev.nibble.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.cli.terminal.Console;
import dev.nibble.compute.kernels.KernelTimes;
import dev.nibble.compute.kernels.KernelTimes.KernelTime;
import dev.nibble.compute.kernels.Roofline;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class KernelTableTest {
  private static List<String> table(KernelTimes times, long steps) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    KernelTable.write(
        times,
        steps,
        new Roofline(1e12, 1e10),
        Console.plain(new PrintStream(out, true, StandardCharsets.UTF_8)));
    return out.toString(StandardCharsets.UTF_8).lines().toList();
  }

  @Test
  void timesAreThoseOfAStep() {
    KernelTimes times =
        new KernelTimes(
            List.of(
                new KernelTime("product [8, 8, 8]", 20, 0.06, 1e6, 3e10),
                new KernelTime("copy", 2, 0.02, 1e8, 0)),
            0.02);
    assertThat(table(times, 2).subList(0, 5))
        .containsExactly(
            "  kernel             calls     ms  of step  GB/s  TFLOP/s  of peak",
            "  product [8, 8, 8]     10  30.00   60.0 %   0.0    0.500   50.0 %",
            "  copy                   1  10.00   20.0 %   5.0            50.0 %",
            "  gaps                      10.00   20.0 %",
            "  step                      50.00  100.0 %");
  }

  @Test
  void manyKernels() {
    List<KernelTime> kernels =
        IntStream.range(0, 45).mapToObj(i -> new KernelTime("k" + i, 1, 0.01, 1, 0)).toList();
    assertThat(table(new KernelTimes(kernels, 0), 1))
        .anyMatch(line -> line.matches(" +5 others +50\\.00 +11\\.1 %"));
  }
}
