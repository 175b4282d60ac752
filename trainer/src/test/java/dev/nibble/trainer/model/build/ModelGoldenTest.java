package dev.nibble.trainer.model.build;

import static dev.nibble.trainer.model.build.Close.flatten;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.compute.kernels.HostAndDevice;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.OptimizerKernels.AdamWStep;
import dev.nibble.compute.kernels.TensorValues;
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
import dev.nibble.trainer.model.Decoder;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.model.config.ModelTensors;
import dev.nibble.trainer.model.config.TensorSpec;
import dev.nibble.trainer.model.layers.DecoderModel;
import dev.nibble.trainer.objective.LossSum;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Everything a training run computes, against transformers and PEFT, on every kernel set. */
@Tag("golden")
final class ModelGoldenTest {
  private static final FourBitFormat NF4 = new FourBitFormat(FourBitFormat.QuantType.NF4, 64, true);

  /** What is checked of each case, where its folder has it. */
  private static final List<String> VARIANTS =
      List.of("lora", "lora_nf4", "rslora", "dora", "pattern", "ia3", "vera");

  private static final GoldenDeviations DEVIATIONS = new GoldenDeviations();

  @AfterAll
  static void writeDeviations() throws IOException {
    DEVIATIONS.write(Path.of("target", "golden-deviations.tsv"));
  }

  static Stream<Arguments> models() {
    return everySet(Golden.models().stream());
  }

  static Stream<Arguments> adapters() {
    return everySet(
        Golden.models().stream()
            .flatMap(model -> VARIANTS.stream().map(variant -> model + "/" + variant))
            .filter(variant -> Files.isDirectory(Golden.model(variant))));
  }

  static Stream<Arguments> quantized() {
    return adapters().filter(a -> a.get()[1].toString().endsWith("_nf4"));
  }

  private static Stream<Arguments> everySet(Stream<String> cases) {
    List<String> all = cases.toList();
    return ModelFixture.kernelSetNames()
        .flatMap(set -> all.stream().map(name -> Arguments.of(set, name)));
  }

  @ParameterizedTest
  @MethodSource("models")
  void logitsAndLoss(String set, String name) {
    Path folder = Golden.model(name);
    try (SafetensorsFile golden = Golden.file(folder);
        ModelFixture f =
            ModelFixture.load(set, folder, ModelFixture.options(new Training.Nothing()))) {
      Batch batch = Golden.batch(golden);
      Case c = new Case(set, name);
      c.close("logits", flatten(f.model.logits(batch)), golden.tensor("logits"), 1e-4);
      float[] packed = flatten(f.model.logits(Golden.packed(golden)));
      c.close("packed logits", packed, golden.tensor("logits_packed"), 1e-4);
      LossSum loss = f.model.evaluate(batch, f.objective);
      assertThat(loss.terms()).isEqualTo(batch.supervisedTokens());
      c.loss("loss", loss.mean(), golden.tensor("loss").getFloat(0), 1e-5);
    }
  }

  @ParameterizedTest
  @MethodSource("quantized")
  void weightsAfterNf4(String set, String variant) {
    try (SafetensorsFile golden = Golden.file(Golden.model(variant));
        ShardedSafetensors base = ShardedSafetensors.open(Golden.base(variant));
        Kernels kernels = ModelFixture.open(set);
        Scope scope = Scope.open("test", kernels.memory())) {
      FrozenWeights weights = new FrozenWeights(base, Optional.of(NF4), kernels, scope);
      for (TensorSpec spec : ModelTensors.of(config(Golden.base(variant)))) {
        if (spec.kind() != TensorSpec.Kind.LINEAR) {
          continue;
        }
        Codebook weight = (Codebook) weights.load(spec.name());
        float[] expected = golden.tensor("dequant." + spec.name()).toFloats();
        float[] dense = BitsandbytesCpu.dequantize(weight, kernels);
        assertThat(Arrays.equals(dense, expected)).as(spec.name()).isTrue();
        if (weight.cols() % NF4.blockSize() == 0) {
          Tensor ours = scope.allocate("test/ours", DType.F32, weight.rows(), weight.cols());
          kernels.products().decode(ours, weight);
          assertThat(Arrays.equals(TensorValues.of(kernels, ours), expected))
              .as(spec.name())
              .isTrue();
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
      Case c = new Case(set, variant);
      c.close("logits", flatten(f.model.logits(batch)), golden.tensor("logits"), 1e-4);
      LossSum loss = f.model.accumulate(batch, 1, f.objective);
      c.loss("loss", loss.mean(), golden.tensor("loss").getFloat(0), 1e-5);
      f.kernels.pointwise().scale(f.model.parameters().gradients(), 1.0 / loss.terms());
      for (Parameter p : f.model.parameters().all()) {
        c.close(
            "gradients",
            TensorValues.of(f.kernels, p.gradient()),
            golden.tensor("grad." + p.name()),
            1e-3);
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
      HostAndDevice square = HostAndDevice.allocate(f.scope, "scratch/square", DType.F64, 1);
      f.scope.seal(); // a step allocates nothing
      Case c = new Case(set, variant);
      List<Parameter> parameters = f.model.parameters().all();
      List<AdamWSlack> slack =
          parameters.stream().map(p -> new AdamWSlack((int) p.weight().elements())).toList();
      for (int step = 1; step <= 6; step++) {
        f.model.parameters().zeroGradients(f.kernels);
        LossSum loss = f.model.accumulate(batch, step, f.objective);
        f.kernels.pointwise().scale(gradients, 1.0 / loss.terms());
        f.kernels.moving().fill(square.tensor(), 0);
        f.kernels.optimizers().sumOfSquares(square.tensor(), gradients);
        double norm = Math.sqrt(square.toHost(f.kernels).getDouble(0));
        f.kernels.pointwise().scale(gradients, Math.min(1, 1 / (norm + 1e-6)));
        AdamWStep update = new AdamWStep(step, 1e-2, .9, .999, 1e-8, .01);
        for (int i = 0; i < parameters.size(); i++) {
          slack.get(i).add(TensorValues.of(f.kernels, parameters.get(i).gradient()), update);
        }
        f.kernels.optimizers().adamW(weights, m, v, gradients, update);
        float expected = golden.tensor("losses_adamw").getFloat(step - 1);
        c.loss("loss of step " + step, loss.mean(), expected, step == 1 ? 1e-5 : 1e-3);
        c.loss("gradient norms", norm, golden.tensor("grad_norms").getFloat(step - 1), 1e-3);
      }
      for (int i = 0; i < parameters.size(); i++) {
        Parameter p = parameters.get(i);
        float[] after = golden.tensor("after." + p.name()).toFloats();
        float[] actual = TensorValues.of(f.kernels, p.weight());
        c.close("weights", p.name(), slack.get(i).settled(actual, after), after, 1e-3);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void greedyGeneration(String set, String name) throws IOException {
    Path folder = Golden.model(name);
    JsonNode expected =
        JsonMapper.shared().readTree(Files.readString(folder.resolve("generate.json")));
    int[][] prompts = ints(expected.get("prompts"), Integer.MAX_VALUE);
    try (ModelFixture base =
            ModelFixture.load(set, folder, ModelFixture.options(new Training.Nothing()));
        ModelFixture adapted = adapted(set, name + "/lora")) {
      int count = comparable(config(folder), prompts[0].length, 12);
      assertThat(generate(base.model, prompts, count))
          .isDeepEqualTo(ints(expected.get("base"), count));
      assertThat(generate(adapted.model, prompts, count))
          .isDeepEqualTo(ints(expected.get("adapter"), count));
    }
  }

  /**
   * How many new tokens to compare. In the pass in which longrope switches its factors transformers
   * 5.18 drops the cache and feeds one token alone, so that it sees nothing before it.
   */
  private static int comparable(ModelConfig config, int prompt, int count) {
    int same = 0;
    while (same < count && !config.forgetsCache(prompt, prompt + same)) {
      same++;
    }
    return same;
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
  private static DecoderModel quantized(
      String variant, Training training, Kernels kernels, Scope scope) {
    Path base = Golden.base(variant);
    try (SafetensorsFile golden = Golden.file(Golden.model(variant));
        ShardedSafetensors checkpoint = ShardedSafetensors.open(base)) {
      FrozenWeights weights = new FrozenWeights(checkpoint, Optional.of(NF4), kernels, scope);
      return ModelLoader.build(
          config(base),
          checkpoint,
          name -> {
            FrozenMatrix weight = weights.load(name);
            if (weight.cols() % NF4.blockSize() == 0) {
              return weight;
            }
            Tensor given = golden.tensor("dequant." + name);
            Tensor dense = scope.allocate("weights/" + name, DType.F32, given.shape().dims());
            kernels.moving().copy(dense, given);
            return new Dense(dense);
          },
          ModelFixture.options(training),
          kernels,
          scope);
    }
  }

  private static ModelConfig config(Path folder) {
    return ModelConfig.of(folder);
  }

  private static int[][] generate(DecoderModel model, int[][] prompts, int count) {
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

  /** The first elements of each row. */
  private static int[][] ints(JsonNode rows, int most) {
    int[][] all = new int[rows.size()][];
    for (int i = 0; i < all.length; i++) {
      all[i] = rows.get(i).valueStream().limit(most).mapToInt(JsonNode::asInt).toArray();
    }
    return all;
  }

  /** Assertions that also record how far off a value is. */
  private record Case(String set, String name) {
    void close(String what, float[] actual, Tensor expected, double tolerance) {
      close(what, expected.name(), actual, expected.toFloats(), tolerance);
    }

    void close(String what, String tensor, float[] actual, float[] expected, double tolerance) {
      String title = "%s of %s, %s".formatted(what, name, tensor);
      double deviation = Close.assertClose(title, actual, expected, tolerance);
      DEVIATIONS.record(set, name, what, deviation);
    }

    void loss(String what, double actual, double expected, double relative) {
      DEVIATIONS.record(set, name, what, Math.abs(actual - expected) / Math.abs(expected));
      assertThat(actual).as(what).isCloseTo(expected, within(relative * Math.abs(expected)));
    }
  }
}
