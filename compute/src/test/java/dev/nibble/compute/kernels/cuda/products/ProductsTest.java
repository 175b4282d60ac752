package dev.nibble.compute.kernels.cuda.products;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.cuda.Emulator;
import dev.nibble.compute.kernels.cuda.driver.Cuda;
import dev.nibble.compute.kernels.cuda.work.Gpu;
import dev.nibble.compute.kernels.cuda.work.Launch;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * The set's own matrix products, compared with sums in float64, where the conformance suite does
 * not lead: large tiles, parts of the inner dimension, strided operands, outputs of another dtype.
 */
@Tag("cuda")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ProductsTest {
  /** Rows, columns, inner elements. The emulated device has 4 multiprocessors. */
  private static final int[][] SIZES = {
    {300, 270, 100}, // large tiles, vectors
    {257, 259, 33}, // large tiles, nothing aligned
    {16, 96, 2048}, // parts
    {9, 33, 1000} // parts, nothing aligned
  };

  private enum Form {
    NN,
    NT,
    TN
  }

  private final Random random = new Random(7);
  private Gpu gpu;
  private Scope scope;
  private Scope host;
  private Products products;

  Products open(Launch launch, Scope scratch) {
    return new OwnProducts(launch, scratch);
  }

  @BeforeAll
  void open() {
    Emulator.configure("descending", 0);
    gpu = Gpu.open(Cuda.load(Emulator.library()), 0, KernelOptions.Debug.NONE, Optional.empty());
    scope = Scope.open("test", gpu.memory());
    host = Scope.open("test", Memory.host());
    products = open(gpu.launch(), scope);
  }

  @AfterAll
  void close() {
    products.close();
    scope.close();
    host.close();
    gpu.close();
  }

  /** An operand on the device and what it holds, stored with some columns more than it has. */
  private static final class Operand {
    private final Matrix matrix;
    private final double[] values;

    Operand(Matrix matrix, double[] values) {
      this.matrix = matrix;
      this.values = values;
    }

    double at(long i, long j) {
      return values[Math.toIntExact(i * matrix.cols() + j)];
    }
  }

  private Operand random(
      String name, DType dtype, long rows, long cols, boolean transposed, long from) {
    long lines = transposed ? cols : rows;
    long width = transposed ? rows : cols;
    long stride = width + 2 * from;
    Tensor t = host.allocate(name, dtype, lines, stride);
    double[] values = new double[Math.toIntExact(rows * cols)];
    for (int i = 0; i < t.elements(); i++) {
      t.setFloat(i, random.nextGaussian());
    }
    for (int i = 0; i < values.length; i++) {
      long row = i / cols;
      long col = i % cols;
      long line = transposed ? col : row;
      values[i] = t.getFloat(line * stride + from + (transposed ? row : col));
    }
    Matrix stored = Matrix.of(copy(t)).columns(from, width);
    return new Operand(transposed ? stored.transpose() : stored, values);
  }

  private Tensor copy(Tensor t) {
    Tensor onDevice = scope.allocate(t.name(), t.dtype(), t.shape().dims());
    gpu.launch().copyBytes(onDevice, t);
    return onDevice;
  }

  private Tensor fetch(Matrix m) {
    // All that was allocated: a view reaches to the end of it.
    Tensor t = host.allocate("fetched", m.dtype(), m.tensor().elements());
    gpu.launch().copyBytes(t, m.tensor().reshape(m.tensor().elements()));
    return t;
  }

  private void compare(int[] size, Form form, DType in, DType out, long from, double beta) {
    int m = size[0];
    int n = size[1];
    int k = size[2];
    Operand a = random("a", in, m, k, form == Form.TN, from);
    Operand b = random("b", in, k, n, form == Form.NT, from);
    Operand c = random("c", out, m, n, false, from);
    double alpha = -0.75;
    products.multiply(c.matrix, a.matrix, b.matrix, alpha, beta);
    Tensor got = fetch(c.matrix);
    double allowed = 0x1p-24 * (16 + 4 * Math.sqrt(k)) * (2 + Math.sqrt(k));
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int l = 0; l < k; l++) {
          sum += a.at(i, l) * b.at(l, j);
        }
        double expected = alpha * sum + beta * c.at(i, j);
        double rounding = out == DType.BF16 ? 0x1p-8 * Math.abs(expected) : 0;
        double actual = got.getDouble(i * c.matrix.stride() + j);
        if (Math.abs(actual - expected) > allowed + rounding) {
          throw new AssertionError(
              "%s %s %s [%d, %d, %d] from %d: [%d, %d] is %s, expected %s"
                  .formatted(form, in, out, m, n, k, from, i, j, actual, expected));
        }
      }
    }
  }

  private void compareAll(DType in, DType out) {
    for (int[] size : SIZES) {
      for (Form form : Form.values()) {
        // Whole matrices, then columns of wider ones, the second time at odd places.
        compare(size, form, in, out, 0, 0);
        compare(size, form, in, out, 8, 1);
        compare(size, form, in, out, 3, -0.5);
      }
    }
  }

  @Test
  void ofFloat32() {
    compareAll(DType.F32, DType.F32);
  }

  @Test
  void ofBfloat16() {
    compareAll(DType.BF16, DType.BF16);
  }

  @Test
  void ofBfloat16ToFloat32() {
    compareAll(DType.BF16, DType.F32);
  }

  @Test
  void whatLiesBesideTheColumnsOfAnOutputStays() {
    Tensor t = host.allocate("c", DType.F32, 70, 80);
    for (int i = 0; i < t.elements(); i++) {
      t.setFloat(i, i);
    }
    Tensor onDevice = copy(t);
    Operand a = random("a", DType.F32, 70, 20, false, 0);
    Operand b = random("b", DType.F32, 20, 66, false, 0);
    products.multiply(Matrix.of(onDevice).columns(7, 66), a.matrix, b.matrix, 1, 0);
    gpu.launch().copyBytes(t, onDevice);
    for (int i = 0; i < t.elements(); i++) {
      boolean written = i % 80 >= 7 && i % 80 < 73;
      assertThat(t.getFloat(i) == i).as("element %d", i).isEqualTo(!written);
    }
  }

  @Test
  void anOutputThatIsOverwrittenIsNotRead() {
    for (int k : new int[] {40, 2048}) {
      Tensor nan = host.allocate("c", DType.F32, 20, 24);
      nan.memory().fill((byte) 0xff);
      Matrix out = Matrix.of(copy(nan));
      Operand a = random("a", DType.BF16, 20, k, false, 0);
      Operand b = random("b", DType.BF16, k, 24, false, 0);
      products.multiply(out, a.matrix, b.matrix, 1, 0);
      for (float x : fetch(out).toFloats()) {
        assertThat(x).isNotNaN();
      }
    }
  }

  @Test
  void operandsThatDoNotFitAreNamed() {
    Operand a = random("left", DType.F32, 3, 4, false, 0);
    Operand b = random("right", DType.F32, 5, 6, false, 0);
    Operand c = random("result", DType.F32, 3, 6, false, 0);
    assertThatThrownBy(() -> products.multiply(c.matrix, a.matrix, b.matrix, 1, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("left")
        .hasMessageContaining("right")
        .hasMessageContaining("result");
  }
}
