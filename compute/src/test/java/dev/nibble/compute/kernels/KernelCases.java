package dev.nibble.compute.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/**
 * The base of the suite's themes: the set under test, sizes, and values that are hard to get right.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class KernelCases {
  /** Numbers of elements around vector widths and far from them. */
  static final int[] SIZES = {1, 3, 7, 15, 16, 17, 31, 33, 64, 207, 1000};

  /** Rows and columns: one row, one column, awkward ones, and more than one tile. */
  static final int[][] MATRICES = {
    {1, 1}, {1, 207}, {33, 1}, {3, 7}, {5, 16}, {17, 31}, {2, 1000}, {64, 64}, {207, 33}
  };

  /** Dtypes of frozen weights and tables. */
  static final List<DType> WEIGHTS = List.of(DType.F32, DType.BF16, DType.F16);

  private final Supplier<Kernels> set;
  private final DType activations;
  private Kernels kernels = new ReferenceKernels();

  /**
   * Cases for a kernel set.
   *
   * @param set opens it; it is closed after the cases
   * @param activations the dtype of activations to test with; the set takes it beside F32
   */
  KernelCases(Supplier<Kernels> set, DType activations) {
    this.set = set;
    this.activations = activations;
  }

  @BeforeAll
  void openSet() {
    kernels = set.get();
  }

  @AfterAll
  void closeSet() {
    kernels.close();
  }

  /** The dtype of activations to test with. */
  DType activations() {
    return activations;
  }

  /** The set under test. */
  Kernels kernels() {
    return kernels;
  }

  Trial trial(int... seed) {
    long mixed = getClass().getSimpleName().hashCode();
    for (int s : seed) {
      mixed = mixed * 31 + s;
    }
    return new Trial(kernels, activations, mixed);
  }

  /**
   * What an index outside its table gives: an exception where Java can look at the indices, and not
   * a number where only the device can.
   */
  void assertRefused(Trial t, Trial.Argument result, Consumer<Kernels> call) {
    if (kernels.memory().device() instanceof Device.Host) {
      assertThatThrownBy(() -> call.accept(kernels)).isInstanceOf(IndexOutOfBoundsException.class);
    } else {
      assertThat(t.resultOf(result, call).toFloats()).containsOnly(Float.NaN);
    }
  }

  /**
   * The rows of one matrix: zeros, large, tiny, subnormal, both signs, and normal values that stay
   * as they are.
   */
  static void makeHostile(Trial.Argument matrix) {
    float[] scales = {0, 1e15f, -1e15f, 1e-15f, 1e-30f, 1};
    var t = matrix.get();
    for (long i = 0; i < t.elements(); i++) {
      matrix.set(i, t.getDouble(i) * scales[(int) (i / t.cols() % scales.length)]);
    }
  }
}
