package dev.nibble.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.safetensors.MalformedSafetensors;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class FrozenWeightsTest {
  private static final String LINEAR = "model.layers.0.self_attn.q_proj.weight";
  private static final Optional<WeightFormat> NF4 =
      Optional.of(new FourBitFormat(QuantType.NF4, 64, true));

  @TempDir Path folder;

  @BeforeEach
  void writeCheckpoint() throws IOException {
    try (Scope scope = Scope.open("test", Memory.host())) {
      Random random = new Random(5);
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      for (String name :
          new String[] {LINEAR, "lm_head.weight", "model.embed_tokens.weight", "nan.weight"}) {
        Tensor t = scope.allocate(name, DType.BF16, 96, 64);
        for (int i = 0; i < 96 * 64; i++) {
          t.setFloat(i, random.nextGaussian() * 0.02);
        }
        if (name.equals("nan.weight")) {
          t.setFloat(700, Double.NaN);
        }
        tensors.put(name, t);
      }
      tensors.put("norm.weight", scope.allocate("norm.weight", DType.F32, 64));
      tensors.put("ids.weight", scope.allocate("ids.weight", DType.I32, 2, 2));
      SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
    }
  }

  private interface Body {
    void of(FrozenWeights weights, ShardedSafetensors checkpoint, Kernels kernels, Scope scope);
  }

  private void with(String set, Optional<WeightFormat> format, Body body) {
    try (Kernels kernels = EachKernelSet.open(set);
        Scope scope = Scope.open("run", kernels.memory());
        ShardedSafetensors checkpoint = ShardedSafetensors.open(folder)) {
      body.of(new FrozenWeights(checkpoint, format, kernels, scope), checkpoint, kernels, scope);
    }
  }

  @ParameterizedTest
  @MethodSource("dev.nibble.quant.EachKernelSet#names")
  void quantisesLinearMaps(String set) {
    with(
        set,
        NF4,
        (weights, checkpoint, kernels, scope) -> {
          long before = scope.bytes();
          FrozenMatrix weight = weights.load(LINEAR);
          assertThat(weight).isInstanceOf(Codebook.class);
          assertThat(weight.rows()).isEqualTo(96);
          assertThat(weight.cols()).isEqualTo(64);
          // 96 blocks of 64: 32 bytes of codes and 1 of scale each, one second scale.
          assertThat(weight.bytes()).isEqualTo(96 * 33 + 4);
          assertThat(scope.bytes() - before).isEqualTo(96 * 33 + 4 + 4);
          Tensor back = scope.allocate("back", DType.F32, 96, 64);
          kernels.products().decode(back, weight);
          float[] given = TensorValues.of(kernels, back);
          Tensor stored = checkpoint.tensor(LINEAR);
          double error = 0;
          double size = 0;
          for (int i = 0; i < 96 * 64; i++) {
            error += Math.pow(given[i] - stored.getDouble(i), 2);
            size += Math.pow(stored.getDouble(i), 2);
          }
          // NF4 keeps about 99 % of the energy of normal weights.
          assertThat(error / size).isBetween(1e-3, 2e-2);
        });
  }

  @ParameterizedTest
  @MethodSource("dev.nibble.quant.EachKernelSet#names")
  void leavesHeadAndEmbeddingsAsStored(String set) {
    with(
        set,
        NF4,
        (weights, checkpoint, kernels, scope) -> {
          for (String name : new String[] {"lm_head.weight", "model.embed_tokens.weight"}) {
            assertStored(kernels, weights.load(name), checkpoint.tensor(name));
          }
        });
    with(
        set,
        Optional.empty(),
        (weights, checkpoint, kernels, scope) ->
            assertStored(kernels, weights.load(LINEAR), checkpoint.tensor(LINEAR)));
  }

  private static void assertStored(Kernels kernels, FrozenMatrix weight, Tensor stored) {
    Tensor copy = ((Dense) weight).weight();
    assertThat(copy.dtype()).isEqualTo(DType.BF16);
    assertThat(TensorValues.of(kernels, copy)).isEqualTo(stored.toFloats());
    assertThat(weight.bytes()).isEqualTo(2 * 96 * 64);
  }

  @ParameterizedTest
  @MethodSource("dev.nibble.quant.EachKernelSet#names")
  void sharesOneCodebook(String set) {
    with(
        set,
        NF4,
        (weights, checkpoint, kernels, scope) -> {
          var one = (Codebook) weights.load(LINEAR);
          var two = (Codebook) weights.load(LINEAR);
          assertThat(one.codebook()).isSameAs(two.codebook());
          assertThat(one.codes().memory().address()).isNotEqualTo(two.codes().memory().address());
        });
  }

  @ParameterizedTest
  @MethodSource("dev.nibble.quant.EachKernelSet#names")
  void saysWhyATensorCannotServe(String set) {
    for (boolean nested : new boolean[] {false, true}) {
      with(
          set,
          Optional.of(new FourBitFormat(QuantType.NF4, 64, nested)),
          (weights, checkpoint, kernels, scope) -> {
            assertThatThrownBy(() -> weights.load("nan.weight"))
                .isInstanceOf(UnusableWeight.class)
                .hasMessageContaining("'nan.weight' has NaN at [10, 60]");
            assertThatThrownBy(() -> weights.load("norm.weight"))
                .isInstanceOf(UnusableWeight.class)
                .hasMessageContaining("'norm.weight' is F32[64]");
            assertThatThrownBy(() -> weights.load("ids.weight"))
                .isInstanceOf(UnusableWeight.class)
                .hasMessageContaining("'ids.weight' is I32[2, 2]");
            assertThatThrownBy(() -> weights.load("absent.weight"))
                .isInstanceOf(MalformedSafetensors.class)
                .hasMessageContaining("no tensor 'absent.weight'");
          });
    }
  }
}
