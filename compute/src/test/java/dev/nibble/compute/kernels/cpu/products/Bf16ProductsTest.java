package dev.nibble.compute.kernels.cpu.products;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.nibble.compute.kernels.cpu.NeedsBf16;
import dev.nibble.compute.kernels.cpu.onednn.MatMuls;
import dev.nibble.compute.kernels.cpu.onednn.OneDnn;
import dev.nibble.compute.kernels.cpu.products.Bf16Products.Left;
import dev.nibble.compute.kernels.cpu.work.WorkerScratch;
import dev.nibble.compute.kernels.cpu.work.Workers;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Half;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sums of small whole numbers are exact, in whatever blocks and parts they are summed. */
@ExtendWith(NeedsBf16.class)
final class Bf16ProductsTest {
  private static final int THREADS = 2;
  private static final float ALPHA = 0.5f;

  private final SplittableRandom random = new SplittableRandom(3);
  private final Scope scope = Scope.open("test", Memory.host());
  private final Workers workers = new Workers(THREADS);
  private final WorkerScratch scratch = new WorkerScratch(THREADS);
  private final MatMuls matMuls = new MatMuls(OneDnn.load(), THREADS);
  private final Bf16Products products = new Bf16Products(matMuls, workers, scratch);

  @AfterEach
  void close() {
    matMuls.close();
    scratch.close();
    workers.close();
    scope.close();
  }

  // Blocks of one panel and of two, whole and not; inner dimensions of one part, two and three.
  @ParameterizedTest
  @CsvSource({
    "3, 1, 5",
    "1, 64, 64",
    "17, 16, 4096",
    "33, 8, 2048",
    "17, 16, 4097",
    "5, 130, 40",
    "33, 512, 96",
    "19, 520, 33",
    "19, 700, 4300",
    "9, 584, 8320",
    "530, 70, 4200",
    "2, 1024, 8321",
    "0, 20, 30",
    "20, 0, 30"
  })
  void products(int m, int n, int k) {
    for (DType dtype : new DType[] {DType.BF16, DType.F32}) {
      for (boolean add : new boolean[] {false, true}) {
        check(m, n, k, dtype, add, false);
        check(m, n, k, dtype, add, true);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"false", "true"})
  void ofNothing(boolean add) {
    check(4, 70, 0, DType.F32, add, false);
  }

  private void check(int m, int n, int k, DType dtype, boolean add, boolean turned) {
    Tensor left = turned ? whole(k, m) : whole(m, k);
    Tensor right = whole(n, k);
    Tensor out = scope.allocate("out", dtype, m, n);
    float[] before = new float[m * n];
    for (int i = 0; i < before.length; i++) {
      before[i] = add ? random.nextInt(-100, 101) : Float.NaN;
      out.setFloat(i, before[i]);
    }
    products.multiply(
        out,
        m,
        n,
        k,
        new Left(left.memory().address(), turned, turned ? m : k),
        (panels, i, rows, j, cols, stage) ->
            Panels.of(right).transposed(panels, j, cols, i, rows, stage),
        ALPHA,
        add);
    float[] a = left.toFloats();
    float[] b = right.toFloats();
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        float sum = 0;
        for (int l = 0; l < k; l++) {
          sum += a[turned ? l * m + i : i * k + l] * b[j * k + l];
        }
        int at = i * n + j;
        float exact = ALPHA * sum + (add ? before[at] : 0);
        float expected = dtype == DType.BF16 ? Half.fromBf16(Half.toBf16(exact)) : exact;
        assertEquals(expected, out.getFloat(at), () -> "element " + at + " of " + out);
      }
    }
  }

  private Tensor whole(long rows, long cols) {
    Tensor t = scope.allocate("factor", DType.BF16, rows, cols);
    for (long i = 0; i < t.elements(); i++) {
      t.setFloat(i, random.nextInt(-3, 4));
    }
    return t;
  }
}
