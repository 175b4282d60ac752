package dev.nibble.quant.quip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.quant.HessianFactor;
import dev.nibble.quant.HessianFactor.Dead;
import dev.nibble.quant.HessianFactor.Order;
import dev.nibble.quant.SampleLayer;
import dev.nibble.quant.SecondMoments;
import dev.nibble.quant.bnb.Golden;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Tag("golden")
final class LatticeRoundingTest {

  /** Codes of the rotated weights are the golden ones, and so is the error; passes lower it. */
  @Test
  void roundsAsTheGolden() throws IOException {
    JsonNode figures =
        JsonMapper.shared().readTree(Files.readString(Golden.ldlq("ldlq.json"))).get("layer");
    try (SafetensorsFile golden = Safetensors.open(Golden.ldlq("ldlq.safetensors"))) {
      Tensor weight = golden.tensor("layer.W");
      int rows = Math.toIntExact(weight.dim(0));
      int cols = Math.toIntExact(weight.dim(1));
      Incoherence incoherence =
          new Incoherence(
              HadamardTransform.of(rows).orElseThrow(),
              HadamardTransform.of(cols).orElseThrow(),
              signs(golden.tensor("layer.sign_out")),
              signs(golden.tensor("layer.sign_in")));
      float[] w = weight.toFloats();
      float[] h = golden.tensor("layer.H").toFloats();
      float[] rotated = w.clone();
      incoherence.rotateWeight(rotated);
      float[] moments = h.clone();
      incoherence.rotateMoments(moments);
      Tensor held = SampleLayer.tensor("H", DType.F32, cols, cols).put(moments);
      HessianFactor factor =
          HessianFactor.of(
              "W", new SecondMoments(held, 256), 0, Dead.IN_THE_MEAN, Order.NATURAL);
      float scale = (float) figures.get("e8p_scale").asDouble();
      LatticeRounding ldlq = new LatticeRounding(rows, cols, scale);
      ldlq.solve(rotated, factor, moments, 0);
      int[] codes = golden.tensor("layer.rht_e8p.codes").toInts();
      int different = 0;
      for (int i = 0; i < codes.length; i++) {
        different += codes[i] == ldlq.codes()[i] ? 0 : 1;
      }
      assertThat(different).isLessThan(codes.length / 100);
      float[] back = values(ldlq.codes(), scale);
      double error = error(back, rotated, moments, cols);
      assertThat(error).isCloseTo(figures.get("rht_e8p").asDouble(), offset(1e-3));
      incoherence.undoWeight(back);
      assertThat(error(back, w, h, cols)).isCloseTo(error, offset(1e-5));

      LatticeRounding again = new LatticeRounding(rows, cols, scale);
      again.solve(rotated, factor, moments, 10);
      double lower = error(values(again.codes(), scale), rotated, moments, cols);
      System.out.println(error + " " + lower + " differ " + different);
      assertThat(lower).isLessThan(error);
    }
  }

  private static byte[] signs(Tensor t) {
    byte[] signs = new byte[Math.toIntExact(t.elements())];
    for (int i = 0; i < signs.length; i++) {
      signs[i] = (byte) t.getInt(i);
    }
    return signs;
  }

  private static float[] values(int[] codes, float scale) {
    float[] all = new float[codes.length * 8];
    for (int i = 0; i < codes.length; i++) {
      E8Lattice.point(codes[i], all, 8 * i);
    }
    for (int i = 0; i < all.length; i++) {
      all[i] *= scale;
    }
    return all;
  }

  /** sqrt(tr(E H E^T) / tr(W H W^T)). */
  private static double error(float[] made, float[] w, float[] h, int cols) {
    double above = 0;
    double below = 0;
    for (int r = 0; r < w.length / cols; r++) {
      for (int i = 0; i < cols; i++) {
        for (int j = 0; j < cols; j++) {
          double x = h[i * cols + j];
          above += x * (made[r * cols + i] - w[r * cols + i]) * (made[r * cols + j] - w[r * cols + j]);
          below += x * w[r * cols + i] * w[r * cols + j];
        }
      }
    }
    return Math.sqrt(above / below);
  }
}
