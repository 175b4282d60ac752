package dev.nibble.quant.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class FactorsTest {
  private Kernels kernels;
  private Scope scope;

  @BeforeEach
  void open() {
    kernels = KernelSets.require("cpu").open(KernelOptions.exact(1));
    scope = Scope.open("test", kernels.memory());
  }

  @AfterEach
  void close() {
    scope.close();
    kernels.close();
  }

  private Tensor zeros(long rows, long cols) {
    return scope.allocate("t", DType.F32, rows, cols);
  }

  /** A sum of {@code terms} products of unit-like vectors, the k-th times 0.5^k. */
  private Tensor decaying(int rows, int cols, int terms) {
    Random random = new Random(5);
    Tensor t = zeros(rows, cols);
    for (int k = 0; k < terms; k++) {
      double[] u = random.doubles(rows, -1, 1).toArray();
      double[] v = random.doubles(cols, -1, 1).toArray();
      for (int i = 0; i < rows * cols; i++) {
        t.setFloat(i, t.getFloat(i) + Math.pow(0.5, k) * u[i / cols] * v[i % cols]);
      }
    }
    return t;
  }

  private double square(Tensor t) {
    Tensor sum = scope.allocate("sum", DType.F64, 1);
    kernels.optimizers().sumOfSquares(sum, t);
    return sum.getDouble(0);
  }

  /** w -= left right. */
  private double rest(Tensor w, Tensor left, Tensor right) {
    kernels.products().linearBackward(w, left, right, -1);
    return square(w);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "7, 3", "3, 7", "64, 176", "200, 300"})
  void factorsOfFullRankAreTheMatrix(int rows, int cols) {
    int rank = Math.min(rows, cols);
    Tensor left = zeros(rows, rank);
    Tensor right = zeros(rank, cols);
    Tensor w = decaying(rows, cols, 3);
    double all = square(w);
    double captured = SvdFactors.of(left, right, w, OptionalInt.empty(), 1, kernels);
    assertThat(captured).isCloseTo(all, within(1e-5 * all));
    assertThat(rest(w, left, right)).isLessThan(1e-9 * all);
    Tensor again = decaying(rows, cols, 3);
    QrFactors.of(left, right, again, kernels);
    assertThat(rest(again, left, right)).isLessThan(1e-9 * all);
  }

  /** What a rank misses is the sum of the other squared values, by any way of finding it. */
  @Test
  void nothingOfTheSameRankIsCloser() {
    int rank = 4;
    Tensor left = zeros(150, rank);
    Tensor right = zeros(rank, 120);
    Tensor w = decaying(150, 120, 30);
    double all = square(w);
    double full = SvdFactors.of(left, right, w, OptionalInt.empty(), 1, kernels);
    assertThat(rest(decaying(150, 120, 30), left, right)).isCloseTo(all - full, within(1e-5 * all));
    for (int i = 0; i < rank; i++) {
      double length = 0;
      for (int o = 0; o < 150; o++) {
        length += left.getDouble(o * rank + i) * left.getDouble(o * rank + i);
      }
      assertThat(square(right.slice(i, i + 1L))).isCloseTo(length, within(1e-4 * length));
    }
    double iterated = SvdFactors.of(left, right, w, OptionalInt.of(4), 1, kernels);
    assertThat(iterated).isCloseTo(full, within(1e-6 * all));
    assertThat(rest(decaying(150, 120, 30), left, right)).isCloseTo(all - full, within(1e-5 * all));
  }

  @Test
  void largeMatricesSettleAndDependOnTheSeedOnly() {
    Tensor w = decaying(300, 250, 40);
    Tensor left = zeros(300, 3);
    Tensor right = zeros(3, 250);
    double settled = SvdFactors.of(left, right, w, OptionalInt.empty(), 9, kernels);
    assertThat(settled)
        .isCloseTo(
            SvdFactors.of(zeros(300, 3), zeros(3, 250), w, OptionalInt.of(30), 8, kernels),
            within(1e-5 * settled));
    float[] first = right.toFloats();
    SvdFactors.of(left, right, w, OptionalInt.empty(), 9, kernels);
    assertThat(right.toFloats()).isEqualTo(first);
  }

  @Test
  void columnsOfQAreOrthonormal() {
    Tensor left = zeros(64, 5);
    QrFactors.of(left, zeros(5, 40), decaying(64, 40, 20), kernels);
    Tensor gram = zeros(5, 5);
    kernels.products().linearBackwardWeight(gram, left, left, 1);
    for (int i = 0; i < 25; i++) {
      assertThat(gram.getDouble(i)).isCloseTo(i % 6 == 0 ? 1 : 0, within(1e-5));
    }
  }
}
