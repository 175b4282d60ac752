package dev.nibble.quant.quip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Lattice;
import dev.nibble.compute.weights.LowRank;
import dev.nibble.compute.weights.Rotated;
import dev.nibble.compute.weights.Rotation;
import dev.nibble.quant.HessianFactor;
import dev.nibble.quant.HessianFactor.Dead;
import dev.nibble.quant.HessianFactor.Order;
import dev.nibble.quant.SampleLayer;
import dev.nibble.quant.SecondMoments;
import dev.nibble.quant.bnb.Golden;
import dev.nibble.quant.linalg.HostProducts;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Against the golden layer: weights that are far from incoherent, and two that CALDERA takes. */
@Tag("golden")
final class LatticeRoundingTest {

  private static JsonNode figures() throws IOException {
    return JsonMapper.shared().readTree(Files.readString(Golden.ldlq("ldlq.json")));
  }

  private static Lattice lattice(String name, int bits, long rows, long cols) {
    return new Lattice(
        SampleLayer.tensor(name, DType.I16, rows, cols / 8),
        QuipFormat.residuals(bits)
            .map(dtype -> SampleLayer.tensor(name + "_residuals", dtype, rows, cols / 8)),
        SampleLayer.tensor(name + "_scales", DType.F32, bits == 2 ? 1 : 2));
  }

  private static Rotation rotation(Tensor signs) {
    return new Rotation(signs, Rotation.baseOf(signs.elements()).orElseThrow());
  }

  private static HessianFactor factor(float[] moments, int cols) {
    Tensor held = SampleLayer.tensor("H", DType.F32, cols, cols).put(moments);
    return HessianFactor.of("W", new SecondMoments(held, 256), 0, Dead.IN_THE_MEAN, Order.NATURAL);
  }

  /** Codes of the rotated weights are the golden ones, and so is the error; passes lower it. */
  @Test
  void roundsAsTheGolden() throws IOException {
    JsonNode figures = figures().get("layer");
    try (SafetensorsFile golden = Safetensors.open(Golden.ldlq("ldlq.safetensors"))) {
      Tensor weight = golden.tensor("layer.W");
      int cols = Math.toIntExact(weight.dim(1));
      Lattice lattice = lattice("W", 2, weight.dim(0), cols);
      Rotated matrix =
          new Rotated(
              lattice,
              Optional.empty(),
              rotation(golden.tensor("layer.sign_out")),
              rotation(golden.tensor("layer.sign_in")));
      float[] h = golden.tensor("layer.H").toFloats();
      float[] moments = rotated(matrix, h);
      HessianFactor factor = factor(moments, cols);
      LatticeRounding rounding = new LatticeRounding(lattice);
      rounding.solve(matrix.rotated(weight), factor, moments, 0);
      assertThat(lattice.scales().getDouble(0))
          .isCloseTo(figures.get("e8p_scale").asDouble(), offset(1e-7));
      int[] codes = golden.tensor("layer.rht_e8p.codes").toInts();
      int different = 0;
      for (int i = 0; i < codes.length; i++) {
        different += codes[i] == lattice.code(i) ? 0 : 1;
      }
      assertThat(different).isLessThan(codes.length / 100);
      double error = error(matrix, weight, h);
      assertThat(error).isCloseTo(figures.get("rht_e8p").asDouble(), offset(1e-3));

      rounding.solve(matrix.rotated(weight), factor, moments, 10);
      assertThat(error(matrix, weight, h)).isLessThan(0.99 * error);
    }
  }

  /**
   * As good as the golden factorisations with scalar grids, of weights that have large singular
   * values and of weights that have none, or better: of twenty from five seeds, nineteen are. And
   * better than two bits without factors.
   */
  @ParameterizedTest
  @CsvSource({"decaying, 4, 0.7", "decaying, 8, 0.6", "flat, 4, 0.97", "flat, 8, 0.95"})
  void calderaLosesNoMoreThanTheGolden(String kind, int rank, double part) throws IOException {
    String name = "caldera.%s.k%d".formatted(kind, rank);
    double expected = figures().get(name).get("best").asDouble();
    try (SafetensorsFile golden = Safetensors.open(Golden.ldlq("ldlq.safetensors"))) {
      Tensor weight = golden.tensor("caldera.%s.W".formatted(kind));
      float[] h = golden.tensor("layer.H").toFloats();
      int rows = Math.toIntExact(weight.dim(0));
      int cols = Math.toIntExact(weight.dim(1));
      var factors = new LowRank(lattice("L", 4, rank, rows), lattice("R", 4, rank, cols));
      Rotated matrix =
          new Rotated(
              lattice("W", 2, rows, cols),
              Optional.of(factors),
              rotation(golden.tensor("layer.sign_out")),
              rotation(golden.tensor("layer.sign_in")));
      float[] moments = rotated(matrix, h);
      HessianFactor factor = factor(moments, cols);
      new CalderaSolver(matrix, factor, moments, 1).solve(matrix.rotated(weight), 8, 0);
      double error = error(matrix, weight, h);

      new LatticeRounding((Lattice) matrix.base())
          .solve(matrix.rotated(weight), factor, moments, 0);
      var alone = new Rotated(matrix.base(), Optional.empty(), matrix.outputs(), matrix.inputs());
      assertThat(error).isLessThan(1.03 * expected);
      assertThat(error).isLessThan(part * error(alone, weight, h));
    }
  }

  private static float[] rotated(Rotated matrix, float[] h) {
    float[] moments = h.clone();
    matrix.inputs().rows(moments);
    matrix.inputs().columns(moments);
    return moments;
  }

  /** sqrt(tr(E H E^T) / tr(W H W^T)). */
  private static double error(Rotated made, Tensor weight, float[] h) {
    float[] w = weight.toFloats();
    float[] lost = HostProducts.minus(SampleLayer.decoded(made), w);
    int cols = (int) Math.round(Math.sqrt(h.length));
    double above = HostProducts.dot(HostProducts.times(lost, cols, h), lost);
    return Math.sqrt(above / HostProducts.dot(HostProducts.times(w, cols, h), w));
  }
}
