package dev.nibble.compute.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.compute.weights.Rotated;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products in the rotated basis are those with the matrix that is decoded from it. */
final class FrozenProductsTest {
  private static final int N = 5;

  private final Random random = new Random(7);
  private final Kernels kernels = new ReferenceKernels();

  private Tensor normal(Scope scope, String name, long... dims) {
    Tensor t = scope.allocate(name, DType.F32, dims);
    for (long i = 0; i < t.elements(); i++) {
      t.setFloat(i, random.nextGaussian());
    }
    return t;
  }

  @ParameterizedTest
  @CsvSource({"64, 96, 0", "56, 24, 0", "24, 64, 8", "176, 56, 3"})
  void areThoseOfTheDecodedMatrix(int rows, int cols, int rank) {
    Rotated matrix = new SampleMatrices(random).rotated(rows, cols, rank);
    try (Scope scope = Scope.open("test", Memory.host())) {
      FrozenProducts products = new FrozenProducts(new Buffers(scope, DType.F32), N);
      products.reserve(matrix);
      Tensor whole = scope.allocate("whole", DType.F32, rows, cols);
      kernels.products().decode(whole, matrix);
      Tensor x = normal(scope, "x", N, cols);
      Tensor out = normal(scope, "out", N, rows);
      Tensor expected = normal(scope, "expected", N, rows);
      products.forward(kernels, out, x, matrix);
      kernels.products().frozenForward(expected, x, new Dense(whole));
      same(out, expected);

      Tensor dout = normal(scope, "dout", N, rows);
      Tensor dx = normal(scope, "dx", N, cols);
      Tensor expectedDx = scope.allocate("expected_dx", DType.F32, N, cols);
      expectedDx.memory().copyFrom(dx.memory());
      float[] before = dout.toFloats();
      products.backward(kernels, dx, dout, matrix);
      kernels.products().frozenBackward(expectedDx, dout, new Dense(whole));
      same(dx, expectedDx);
      assertThat(dout.toFloats()).isEqualTo(before);
    }
  }

  private static void same(Tensor actual, Tensor expected) {
    double largest = 0;
    for (float value : expected.toFloats()) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (long i = 0; i < expected.elements(); i++) {
      assertThat(actual.getDouble(i)).isCloseTo(expected.getDouble(i), offset(1e-5 * largest));
    }
  }

  /** Fewer rows than reserved take a part of the scratch; more have none. */
  @Test
  void takeNoMemoryThatIsNotReserved() {
    FrozenMatrix matrix = new SampleMatrices(random).rotated(64, 24, 8);
    try (Scope scope = Scope.open("test", Memory.host())) {
      FrozenProducts products = new FrozenProducts(new Buffers(scope, DType.F32), N);
      products.reserve(matrix);
      long bytes = scope.bytes();
      products.reserve(matrix, DType.F32, N - 1);
      assertThat(scope.bytes()).isEqualTo(bytes).isEqualTo(4L * N * (64 + 24 + 8));
      Tensor x = normal(scope, "x", N + 1, 24);
      Tensor out = normal(scope, "out", N + 1, 64);
      products.forward(kernels, out.slice(0, 1), x.slice(0, 1), matrix);
      assertThatThrownBy(() -> products.forward(kernels, out, x, matrix))
          .hasMessageContaining("no scratch is reserved for rotated_inputs F32[6, 24]");
    }
  }
}
