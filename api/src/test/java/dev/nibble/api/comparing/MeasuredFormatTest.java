package dev.nibble.api.comparing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.named.FormatNames;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MeasuredFormatTest {

  /** Of two matrices of different size and scale, as if they were one. */
  @ParameterizedTest
  @ValueSource(strings = {"hqq-3", "nf4"})
  void theErrorIsThatOfAllMatricesTogether(String name) {
    WeightError total = new WeightError();
    MeasuredFormat format = new MeasuredFormat(FormatNames.parse(name).orElseThrow(), total);
    Random random = new Random(5);
    double error = 0;
    double squares = 0;
    try (Kernels kernels = KernelSets.choose("cpu").open(KernelOptions.ofThreads(1));
        Scope scope = Scope.open("test", kernels.memory())) {
      WeightFormat.Allocator allocator = format.allocator(kernels, scope);
      for (int rows : new int[] {300, 64}) {
        Tensor in = scope.allocate("in", DType.BF16, rows, 128);
        for (long i = 0; i < in.elements(); i++) {
          in.setFloat(i, random.nextGaussian() * rows);
        }
        FrozenMatrix made = allocator.allocate("w", rows, 128);
        format.encode(kernels, made, in);
        Tensor out = scope.allocate("out", DType.F32, rows, 128);
        kernels.products().decode(out, made);
        for (long i = 0; i < in.elements(); i++) {
          error += Math.pow(in.getFloat(i) - out.getFloat(i), 2);
          squares += Math.pow(in.getFloat(i), 2);
        }
      }
    }
    assertThat(error).isPositive();
    assertThat(total.relative()).isCloseTo(Math.sqrt(error / squares), within(1e-9));
    assertThat(format.seconds()).isPositive();
  }
}
