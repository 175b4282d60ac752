package dev.nibble.quant.spqr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;
import static org.assertj.core.data.Percentage.withPercentage;

import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Affine;
import dev.nibble.compute.weights.Numbers;
import dev.nibble.compute.weights.WithOutliers;
import dev.nibble.quant.HessianFactor;
import dev.nibble.quant.HessianFactor.Dead;
import dev.nibble.quant.HessianFactor.Order;
import dev.nibble.quant.SampleLayer;
import dev.nibble.quant.SecondMoments;
import dev.nibble.quant.bnb.Golden;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Against the SpQR authors' code on the CPU. */
@Tag("golden")
final class SpqrGoldenTest {

  /** H = 2 X^T X, summed up in float32 as theirs. */
  private static Tensor hessian(Tensor x, Scope scope) {
    int tokens = Math.toIntExact(x.dim(0));
    int n = Math.toIntExact(x.dim(1));
    double[] sum = new double[n * n];
    float[] row = new float[n];
    for (int t = 0; t < tokens; t++) {
      x.getFloats((long) t * n, row);
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          sum[i * n + j] += 2.0 * row[i] * row[j];
        }
      }
    }
    Tensor h = scope.allocate("H", DType.F32, n, n);
    for (int i = 0; i < sum.length; i++) {
      h.setFloat(i, sum[i]);
    }
    return h;
  }

  /**
   * Numbers in float32 as theirs, where 16 bits are what files have. In {@code b3g8} whole groups
   * are set aside, whose scale in the authors' code spoils those of 63 others: with a third of the
   * outliers the loss is nearly the same.
   */
  @ParameterizedTest
  @ValueSource(strings = {"b3", "b4", "b3g8", "b3_noout"})
  void codesAndOutliersAreTheAuthors(String name) throws IOException {
    JsonNode golden =
        JsonMapper.shared().readTree(Files.readString(Golden.spqr("cases.json"))).get(name);
    JsonNode p = golden.get("parameters");
    try (SafetensorsFile layer = Safetensors.open(Golden.spqr("layer.safetensors"));
        SafetensorsFile cases = Safetensors.open(Golden.spqr("cases.safetensors"));
        Scope scope = Scope.open("test", Memory.host())) {
      Tensor in = layer.tensor("W");
      Tensor h = hessian(layer.tensor("X"), scope);
      double threshold = p.get("outlier_relative_threshold").asDouble(Double.POSITIVE_INFINITY);
      SpqrFormat format =
          new SpqrFormat(
              p.get("bits").asInt(),
              p.get("groupsize").asInt(),
              p.get("qq_groupsize").asInt(),
              p.get("qq_scale_bits").asInt(),
              threshold,
              p.get("percdamp").asDouble());
      boolean act = p.get("permutation_order").asString().equals("act_order");
      SecondMoments moments = new SecondMoments(h, 192);
      HessianFactor factor =
          act
              ? format.factor("W", moments)
              : HessianFactor.of("W", moments, 1, Dead.OUTSIDE_THE_MEAN, Order.NATURAL);
      WithOutliers made =
          format.allocate(scope, "W", in.dim(0), in.dim(1), in.elements(), DType.F32);
      new SpqrSolver(made, threshold).solve(in, factor);

      double trace = golden.get("trace").asDouble();
      int outliers = made.starts().getInt(in.dim(0));
      if (name.equals("b3g8")) {
        assertThat(SampleLayer.trace(made, in, h)).isLessThan(1.05 * trace);
        assertThat(outliers).isLessThan(golden.get("outliers").asInt() / 2);
        return;
      }
      Affine base = (Affine) made.base();
      int rows = Math.toIntExact(in.dim(0));
      int cols = Math.toIntExact(in.dim(1));
      int[] perm = cases.tensor(name + ".perm").toInts();
      Tensor codes = cases.tensor(name + ".codes");
      int different = 0;
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < cols; c++) {
          long i = (long) r * cols + perm[c];
          assertThat(base.group(i))
              .isEqualTo((long) r * cols / format.groupSize() + c / format.groupSize());
          different += base.code(i) == codes.getInt((long) r * cols + c) ? 0 : 1;
        }
      }
      assertThat(different).as("codes that differ").isLessThanOrEqualTo(rows * cols / 1000);
      numbersAre(cases, name, "scale", (Numbers.Quantized) base.scales(), rows);
      numbersAre(cases, name, "zero", (Numbers.Quantized) base.zeros(), rows);
      outliersAre(cases, name, made, perm);
      assertThat(SampleLayer.trace(made, in, h)).isCloseTo(trace, withPercentage(0.05));
      // With 16 bits in place of 32 for the statistics.
      assertThat(format.bitsPerWeight() + 32.0 * outliers / in.elements())
          .isCloseTo(
              golden.get("bits_counted").asDouble() - 32.0 * (rows + 1) / in.elements(),
              offset(1e-9));
    }
  }

  private static void numbersAre(
      SafetensorsFile cases, String name, String which, Numbers.Quantized made, int rows) {
    Tensor codes = cases.tensor(name + "." + which + "_codes");
    Tensor scale = cases.tensor(name + "." + which + "2.scale");
    Tensor zero = cases.tensor(name + "." + which + "2.zero");
    int groups = Math.toIntExact(codes.dim(0));
    int together = Math.toIntExact(codes.dim(2));
    float largest = which.equals("zero") ? 1 : 0;
    int different = 0;
    for (int r = 0; r < rows; r++) {
      for (int g = 0; g < groups; g++) {
        long pair = (long) g * rows / together + r / together;
        float expected =
            (codes.getInt((long) g * rows + r) - zero.getFloat(pair)) * scale.getFloat(pair);
        float found = made.get((long) r * groups + g);
        different +=
            Math.abs(found - expected) <= 2e-5 * Math.max(largest, Math.abs(expected)) ? 0 : 1;
      }
    }
    assertThat(different).as(which).isLessThanOrEqualTo(rows * groups / 100);
  }

  private static void outliersAre(
      SafetensorsFile cases, String name, WithOutliers made, int[] perm) {
    int[] starts = cases.tensor(name + ".outliers.row_ptr").toInts();
    boolean[] expected = new boolean[Math.toIntExact(made.elements())];
    boolean[] found = new boolean[expected.length];
    int cols = perm.length;
    int all = starts[starts.length - 1];
    int[] columns = all == 0 ? new int[0] : cases.tensor(name + ".outliers.cols").toInts();
    int different = 0;
    for (int r = 0; r + 1 < starts.length; r++) {
      for (int e = starts[r]; e < starts[r + 1]; e++) {
        expected[r * cols + perm[columns[e]]] = true;
      }
      for (int e = made.starts().getInt(r); e < made.starts().getInt(r + 1); e++) {
        found[r * cols + made.column(e)] = true;
      }
    }
    for (int i = 0; i < expected.length; i++) {
      different += expected[i] == found[i] ? 0 : 1;
    }
    assertThat(different).as("outliers that differ").isLessThanOrEqualTo(all / 100);
  }
}
