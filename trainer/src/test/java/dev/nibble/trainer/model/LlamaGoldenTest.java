package dev.nibble.trainer.model;

import static dev.nibble.trainer.model.Close.assertClose;
import static dev.nibble.trainer.model.Close.flatten;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.compute.kernels.AdamWStep;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.data.Batch;
import dev.nibble.quant.FourBitFormat;
import dev.nibble.quant.FrozenWeight;
import dev.nibble.quant.FrozenWeights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Everything a training run computes, against transformers and PEFT, on every kernel set. */
@Tag("golden")
final class LlamaGoldenTest {
  private static final FourBitFormat NF4 = new FourBitFormat(FourBitFormat.QuantType.NF4, 64, true);

  static Stream<Arguments> models() {
    return ModelFixture.kernelSetNames()
        .flatMap(set ->
            Stream.of("llama", "llama3", "llama_linear").map(name -> Arguments.of(set, name)));
  }

  static Stream<Arguments> adapters() {
    return ModelFixture.kernelSetNames()
        .flatMap(set ->
            Stream.of(
                    "llama/lora",
                    "llama/lora_nf4",
                    "llama/rslora",
                    "llama/dora",
                    "llama/pattern",
                    "llama3/lora",
                    "llama3/lora_nf4",
                    "llama_linear/lora")
                .map(variant -> Arguments.of(set, variant)));
  }

  static Stream<Arguments> quantized() {
    return adapters().filter(a -> a.get()[1].toString().endsWith("_nf4"));
  }

  @ParameterizedTest
  @MethodSource("models")
  void logitsAndLoss(String set, String name) {
    Path folder = Golden.model(name);
    try (SafetensorsFile golden = Golden.file(folder);
        ModelFixture f =
            ModelFixture.load(set, folder, ModelFixture.options(new Training.Nothing()))) {
      Batch batch = Golden.batch(golden);
      assertClose(
          "logits", flatten(f.model.logits(batch)), golden.tensor("logits").toFloats(), 1e-4);
      assertClose(
          "packed logits",
          flatten(f.model.logits(Golden.packed(golden))),
          golden.tensor("logits_packed").toFloats(),
          1e-4);
      LossSum loss = f.model.evaluate(batch);
      assertThat(loss.tokens()).isEqualTo(batch.supervisedTokens());
      assertLoss(loss.mean(), golden.tensor("loss").getFloat(0), 1e-5);
    }
  }

  @ParameterizedTest
  @MethodSource("quantized")
  void weightsAfterNf4(String set, String variant) {
    try (SafetensorsFile golden = Golden.file(Golden.model(variant));
        ShardedSafetensors base = ShardedSafetensors.open(Golden.base(variant));
        Kernels kernels = ModelFixture.open(set);
        Scope scope = Scope.open("test", kernels.memory(), Scope.UNLIMITED)) {
      FrozenWeights weights = new FrozenWeights(base, Optional.of(NF4), kernels, scope);
      for (TensorSpec spec : LlamaTensors.of(config(Golden.base(variant)))) {
        if (spec.kind() != TensorSpec.Kind.LINEAR) {
          continue;
        }
        FrozenWeight.FourBit weight = (FrozenWeight.FourBit) weights.load(spec.name());
        float[] expected = golden.tensor("dequant." + spec.name()).toFloats();
        float[] dense = BitsandbytesCpu.dequantize(weight.weight());
        assertThat(Arrays.equals(dense, expected)).as(spec.name()).isTrue();
        if (weight.cols() % NF4.blockSize() == 0) {
          Tensor ours = scope.allocate("test/ours", DType.F32, weight.rows(), weight.cols());
          weight.dequantizeInto(kernels, ours);
          assertThat(Arrays.equals(ours.toFloats(), expected)).as(spec.name()).isTrue();
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void gradients(String set, String variant) {
    try (SafetensorsFile golden = Golden.file(Golden.model(variant));
        SafetensorsFile inputs = Golden.file(Golden.base(variant));
        ModelFixture f = adapted(set, variant)) {
      Batch batch = Golden.batch(inputs);
      assertClose(
          "logits", flatten(f.model.logits(batch)), golden.tensor("logits").toFloats(), 1e-4);
      LossSum loss = f.model.forward(batch, 1);
      f.model.backward();
      assertLoss(loss.mean(), golden.tensor("loss").getFloat(0), 1e-5);
      f.kernels.scale(f.model.parameters().gradients(), 1.0 / loss.tokens());
      for (Parameter p : f.model.parameters().all()) {
        assertClose(
            p.name(), p.gradient().toFloats(), golden.tensor("grad." + p.name()).toFloats(), 1e-3);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void sixStepsOfAdamW(String set, String variant) {
    try (SafetensorsFile golden = Golden.file(Golden.model(variant));
        SafetensorsFile inputs = Golden.file(Golden.base(variant));
        ModelFixture f = adapted(set, variant)) {
      Batch batch = Golden.batch(inputs);
      Tensor weights = f.model.parameters().weights();
      Tensor gradients = f.model.parameters().gradients();
      Tensor m = f.scope.allocate("optimizer/m", DType.F32, weights.elements());
      Tensor v = f.scope.allocate("optimizer/v", DType.F32, weights.elements());
      Tensor square = f.scope.allocate("scratch/square", DType.F64, 1);
      f.scope.seal(); // a step allocates nothing
      for (int step = 1; step <= 6; step++) {
        f.model.parameters().zeroGradients(f.kernels);
        LossSum loss = f.model.forward(batch, step);
        f.model.backward();
        f.kernels.scale(gradients, 1.0 / loss.tokens());
        square.setFloat(0, 0);
        f.kernels.sumOfSquares(square, gradients);
        double norm = Math.sqrt(square.getDouble(0));
        f.kernels.scale(gradients, Math.min(1, 1 / (norm + 1e-6)));
        f.kernels.adamW(weights, m, v, gradients, new AdamWStep(step, 1e-2, .9, .999, 1e-8, .01));
        float expected = golden.tensor("losses_adamw").getFloat(step - 1);
        assertLoss(loss.mean(), expected, step == 1 ? 1e-5 : 1e-3);
        assertLoss(norm, golden.tensor("grad_norms").getFloat(step - 1), 1e-3);
      }
      for (Parameter p : f.model.parameters().all()) {
        assertClose(
            p.name(), p.weight().toFloats(), golden.tensor("after." + p.name()).toFloats(), 1e-3);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void greedyGeneration(String set, String name) throws IOException {
    Path folder = Golden.model(name);
    JsonNode expected =
        JsonMapper.shared().readTree(Files.readString(folder.resolve("generate.json")));
    int[][] prompts = ints(expected.get("prompts"));
    try (ModelFixture base =
            ModelFixture.load(set, folder, ModelFixture.options(new Training.Nothing()));
        ModelFixture adapted = adapted(set, name + "/lora")) {
      assertThat(generate(base.model, prompts, 12)).isDeepEqualTo(ints(expected.get("base")));
      assertThat(generate(adapted.model, prompts, 12)).isDeepEqualTo(ints(expected.get("adapter")));
    }
  }

  /** The base with its golden adapter, in NF4 when the variant says so. */
  private static ModelFixture adapted(String set, String variant) {
    Path base = Golden.base(variant);
    PeftAdapter adapter = PeftAdapter.open(Golden.adapter(variant));
    Training training = new Training.Adapter(adapter.spec(), 0);
    ModelFixture f =
        variant.endsWith("_nf4")
            ? ModelFixture.build(set, (k, scope) -> quantized(variant, training, k, scope))
            : ModelFixture.load(set, base, ModelFixture.options(training));
    adapter.copyTo(f.model.parameters(), f.kernels);
    return f;
  }

  /** In NF4; matrices whose rows are not whole blocks as {@link BitsandbytesCpu} reads them. */
  private static Llama quantized(String variant, Training training, Kernels kernels, Scope scope) {
    Path base = Golden.base(variant);
    try (SafetensorsFile golden = Golden.file(Golden.model(variant));
        ShardedSafetensors checkpoint = ShardedSafetensors.open(base)) {
      FrozenWeights weights = new FrozenWeights(checkpoint, Optional.of(NF4), kernels, scope);
      return ModelLoader.build(
          config(base),
          checkpoint,
          name -> {
            FrozenWeight weight = weights.load(name);
            if (weight.cols() % NF4.blockSize() == 0) {
              return weight;
            }
            Tensor given = golden.tensor("dequant." + name);
            Tensor dense = scope.allocate("weights/" + name, DType.F32, given.shape().dims());
            kernels.copy(dense, given);
            return new FrozenWeight.Dense(dense);
          },
          ModelFixture.options(training),
          kernels,
          scope);
    }
  }

  private static LlamaConfig config(Path folder) {
    return LlamaConfig.read(folder.resolve("config.json"));
  }

  private static int[][] generate(Llama model, int[][] prompts, int count) {
    int[][] answers = new int[prompts.length][count];
    int[] sequences = new int[prompts.length];
    for (int i = 0; i < sequences.length; i++) {
      sequences[i] = i;
    }
    try (Decoder decoder = model.decoder(prompts.length, prompts[0].length + count)) {
      float[][] logits = decoder.feed(sequences, prompts);
      for (int t = 0; t < count; t++) {
        int[][] next = new int[prompts.length][1];
        for (int i = 0; i < prompts.length; i++) {
          answers[i][t] = argmax(logits[i]);
          next[i][0] = answers[i][t];
        }
        logits = decoder.feed(sequences, next);
      }
    }
    return answers;
  }

  private static int argmax(float[] x) {
    int best = 0;
    for (int i = 1; i < x.length; i++) {
      best = x[i] > x[best] ? i : best;
    }
    return best;
  }

  private static int[][] ints(JsonNode rows) {
    int[][] all = new int[rows.size()][];
    for (int i = 0; i < all.length; i++) {
      all[i] = rows.get(i).valueStream().mapToInt(JsonNode::asInt).toArray();
    }
    return all;
  }

  private static void assertLoss(double actual, double expected, double relative) {
    assertThat(actual).isCloseTo(expected, within(relative * Math.abs(expected)));
  }
}
