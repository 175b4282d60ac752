package dev.nibble.compute.kernels;

import dev.nibble.compute.kernels.Workload.Sizes;
import dev.nibble.compute.kernels.cpu.CpuKernelSet;
import dev.nibble.compute.tensor.DType;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** What benchmarks time agrees with the reference. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class WorkloadTest {
  /** One of everything, and sizes beside those of vectors, tiles and attention's blocks. */
  private static final List<Sizes> SIZES =
      List.of(
          new Sizes(1, 1, 2, 1, 1, 1),
          new Sizes(17, 3, 10, 37, 207, 5),
          new Sizes(33, 2, 34, 129, 1031, 16),
          new Sizes(100, 1, 32, 5, 3, 2),
          new Sizes(600, 1, 66, 5, 3, 2));

  private final Kernels exact = new CpuKernelSet().open(KernelOptions.exact(2));
  private final Kernels fastest = new CpuKernelSet().open(KernelOptions.ofThreads(2));

  @AfterAll
  void close() {
    exact.close();
    fastest.close();
  }

  @TestFactory
  Stream<DynamicTest> inFloat32() {
    return each(exact, DType.F32);
  }

  /** BF16 where the processor multiplies it. */
  @TestFactory
  Stream<DynamicTest> inWhatIsFastest() {
    return each(fastest, fastest.activations());
  }

  private static Stream<DynamicTest> each(Kernels kernels, DType activations) {
    return Workload.ALL.stream()
        .map(w ->
            DynamicTest.dynamicTest(
                w.name() + " " + activations,
                () -> SIZES.forEach(s -> compare(w, s, kernels, activations))));
  }

  private static void compare(Workload w, Sizes sizes, Kernels kernels, DType activations) {
    try (Trial t = new Trial(kernels, activations, w.name().hashCode())) {
      t.run(w.definition().declare(t, sizes).on());
    }
  }
}
