package dev.nibble.trainer.model.build;

import static dev.nibble.trainer.model.build.Close.assertClose;
import static dev.nibble.trainer.model.build.Close.flatten;
import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.TargetModules;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Codebook;
import dev.nibble.compute.weights.Dense;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.data.Batch;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.layers.DecoderModel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A checkpoint in 4 bits that bitsandbytes and transformers made, on every kernel set. */
@Tag("golden")
final class FourBitGoldenTest {
  private static final Path FOLDER = Golden.bnb("checkpoint");

  /** bitsandbytes gives the weights in the dtype that they had, which is bf16. */
  @ParameterizedTest
  @MethodSource("dev.nibble.trainer.model.build.ModelFixture#kernelSetNames")
  void dequantisesToTheSameBits(String set) {
    try (SafetensorsFile golden = Safetensors.open(Golden.bnb("checkpoint_dequant.safetensors"));
        ShardedSafetensors checkpoint = ShardedSafetensors.open(FOLDER);
        Kernels kernels = ModelFixture.open(set);
        Scope scope = Scope.open("test", kernels.memory())) {
      FrozenWeights weights = new FrozenWeights(checkpoint, Optional.empty(), kernels, scope);
      assertThat(golden.names()).hasSize(14);
      for (String name : golden.names()) {
        var weight = (Codebook) weights.load(name);
        Tensor dense = scope.allocate("bf16", DType.BF16, weight.rows(), weight.cols());
        if (weight.cols() % weight.block() == 0) {
          kernels.products().decode(dense, weight);
        } else {
          TensorValues.put(kernels, dense, BitsandbytesCpu.dequantize(weight, kernels));
        }
        float[] expected = golden.tensor(name).toFloats();
        assertThat(Arrays.equals(TensorValues.of(kernels, dense), expected)).as(name).isTrue();
      }
    }
  }

  /** transformers in float32 with the weights that bitsandbytes gave, in bf16. */
  @ParameterizedTest
  @MethodSource("dev.nibble.trainer.model.build.ModelFixture#kernelSetNames")
  void logitsOfItsWeights(String set) {
    try (SafetensorsFile given = Safetensors.open(Golden.bnb("checkpoint_dequant.safetensors"));
        SafetensorsFile golden = Safetensors.open(Golden.bnb("checkpoint_golden.safetensors"));
        ModelFixture f =
            ModelFixture.build(set, (k, scope) -> build(k, scope, w -> bf16(k, scope, given, w)))) {
      assertClose(
          "logits",
          flatten(f.model.logits(batch(golden))),
          golden.tensor("logits").toFloats(),
          1e-4);
    }
  }

  /** The model in 4 bits computes as one with its weights written out. */
  @ParameterizedTest
  @MethodSource("dev.nibble.trainer.model.build.ModelFixture#kernelSetNames")
  void logitsInFourBits(String set) {
    Training adapter = new Training.Adapter(new LoraSpec(4, 8, 0, TargetModules.allLinear()), 1);
    FourBitFormat format = new FourBitFormat(QuantType.NF4, 64, true);
    try (SafetensorsFile golden = Safetensors.open(Golden.bnb("checkpoint_golden.safetensors"));
        ModelFixture dense =
            ModelFixture.build(set, (k, scope) -> build(k, scope, w -> f32(k, scope, w)));
        ModelFixture plain =
            ModelFixture.load(set, FOLDER, ModelFixture.options(new Training.Nothing()));
        ModelFixture adapted =
            ModelFixture.load(set, FOLDER, ModelFixture.options(adapter, format))) {
      float[] expected = flatten(dense.model.logits(batch(golden)));
      assertClose("logits", flatten(plain.model.logits(batch(golden))), expected, 1e-4);
      assertClose("adapted", flatten(adapted.model.logits(batch(golden))), expected, 1e-4);
      // Rounding weights to bf16 and the reading of down_proj's scales move the logits, but little.
      assertClose("rounded", expected, golden.tensor("logits").toFloats(), 0.1);
    }
  }

  private static DecoderModel build(Kernels kernels, Scope scope, UnaryOperator<Named> dense) {
    try (ShardedSafetensors checkpoint = ShardedSafetensors.open(FOLDER)) {
      FrozenWeights weights = new FrozenWeights(checkpoint, Optional.empty(), kernels, scope);
      return ModelLoader.build(
          ModelConfig.of(FOLDER),
          checkpoint,
          name -> dense.apply(new Named(name, weights.load(name))).weight(),
          ModelFixture.options(new Training.Nothing()),
          kernels,
          scope);
    }
  }

  private record Named(String name, FrozenMatrix weight) {}

  private static Named bf16(Kernels kernels, Scope scope, SafetensorsFile given, Named w) {
    if (!given.has(w.name())) {
      return w;
    }
    Tensor dense = scope.allocate("dense", DType.BF16, w.weight().rows(), w.weight().cols());
    kernels.moving().copy(dense, given.tensor(w.name()));
    return new Named(w.name(), new Dense(dense));
  }

  private static Named f32(Kernels kernels, Scope scope, Named w) {
    Tensor dense = scope.allocate("dense", DType.F32, w.weight().rows(), w.weight().cols());
    kernels.products().decode(dense, w.weight());
    return new Named(w.name(), new Dense(dense));
  }

  private static Batch batch(SafetensorsFile golden) {
    int[] ids = golden.tensor("input_ids").toInts();
    int[] targets = new int[ids.length];
    Arrays.fill(targets, Batch.IGNORE);
    return new Batch(
        ids, targets, IntStream.range(0, ids.length).toArray(), new int[] {0, ids.length});
  }
}
