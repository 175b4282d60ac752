package dev.nibble.trainer.model.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.data.Batch;
import dev.nibble.data.Sample;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.objective.DpoLoss;
import dev.nibble.trainer.objective.LossSum;
import dev.nibble.trainer.optim.AdamW;
import dev.nibble.trainer.optim.GradientClip;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** DPO on pairs of completions, against TRL. */
@Tag("golden")
final class PreferenceGoldenTest {
  private static final double BETA = 0.1;
  private static final int MAX_TOKENS = 128;
  private static final Path FOLDER = Golden.preference();

  static Stream<String> sets() {
    return ModelFixture.kernelSetNames();
  }

  @ParameterizedTest
  @MethodSource("sets")
  void lossAndGradients(String set) throws IOException {
    try (SafetensorsFile golden = Safetensors.open(FOLDER.resolve("dpo.safetensors"));
        ModelFixture f = adapted(set)) {
      DpoLoss dpo = new DpoLoss(f.kernels, f.scope, MAX_TOKENS, BETA);
      float expected = golden.tensor("loss").getFloat(0);

      LossSum loss = f.model.accumulate(pairs(), 1, dpo);

      assertThat(loss.terms()).isEqualTo(4);
      assertThat(loss.mean()).isCloseTo(expected, within(1e-5));
      assertThat(f.model.evaluate(pairs(), dpo).mean()).isCloseTo(expected, within(1e-5));
      f.kernels.pointwise().scale(f.model.parameters().gradients(), 1.0 / loss.terms());
      for (Parameter p : f.model.parameters().all()) {
        assertClose(
            p.name(),
            TensorValues.of(f.kernels, p.gradient()),
            golden.tensor("grad." + p.name()).toFloats());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("sets")
  void threeStepsOfAdamW(String set) throws IOException {
    try (SafetensorsFile golden = Safetensors.open(FOLDER.resolve("dpo.safetensors"));
        ModelFixture f = adapted(set)) {
      DpoLoss dpo = new DpoLoss(f.kernels, f.scope, MAX_TOKENS, BETA);
      AdamW.Settings settings = new AdamW.Settings(0.9, 0.999, 1e-8, 0.01);
      AdamW optimizer = new AdamW(f.kernels, f.model.parameters(), settings, f.scope);
      GradientClip clip = new GradientClip(f.kernels, 1, f.scope);
      f.scope.seal(); // a step allocates nothing
      for (int step = 1; step <= 3; step++) {
        f.model.parameters().zeroGradients(f.kernels);
        LossSum loss = f.model.accumulate(pairs(), step, dpo);
        f.kernels.pointwise().scale(f.model.parameters().gradients(), 1.0 / loss.terms());
        double norm = clip.apply(f.model.parameters().gradients());
        optimizer.update(1e-2);
        double expected = golden.tensor("losses_adamw").getFloat(step - 1);
        assertThat(loss.mean()).isCloseTo(expected, within(1e-3 * expected));
        double expectedNorm = golden.tensor("grad_norms").getFloat(step - 1);
        assertThat(norm).isCloseTo(expectedNorm, within(1e-3 * expectedNorm));
      }
    }
  }

  @Test
  void refusesHalfAPair() {
    try (ModelFixture f = adapted("cpu")) {
      DpoLoss dpo = new DpoLoss(f.kernels, f.scope, MAX_TOKENS, BETA);
      Batch one = Batch.of(List.of(new Sample(new int[] {1, 2}, new boolean[] {false, true})));
      assertThatThrownBy(() -> f.model.accumulate(one, 1, dpo))
          .hasMessageContaining("a batch of 1 samples, expected pairs");
    }
  }

  /** The largest deviation is within 1e-3 of the largest value. */
  private static void assertClose(String name, float[] actual, float[] expected) {
    double largest = 0;
    for (float e : expected) {
      largest = Math.max(largest, Math.abs(e));
    }
    assertThat(actual).as(name).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      assertThat((double) actual[i]).as(name).isCloseTo(expected[i], within(1e-3 * largest));
    }
  }

  private static ModelFixture adapted(String set) {
    PeftAdapter adapter = PeftAdapter.open(FOLDER.resolve("adapter"));
    ModelOptions options =
        new ModelOptions(
            new Training.Adapter(adapter.spec(), 0),
            Optional.empty(),
            MAX_TOKENS,
            Checkpointing.FULL);
    ModelFixture f = ModelFixture.load(set, Golden.model("llama"), options);
    adapter.copyTo(f.model.parameters(), f.kernels);
    return f;
  }

  /** The chosen and the rejected sample of each pair, by turns. */
  private static Batch pairs() throws IOException {
    JsonNode batch = JsonMapper.shared().readTree(Files.readString(FOLDER.resolve("batch.json")));
    List<Sample> samples = new ArrayList<>();
    for (JsonNode pair : batch.get("pairs")) {
      samples.add(sample(pair.get("prompt"), pair.get("chosen")));
      samples.add(sample(pair.get("prompt"), pair.get("rejected")));
    }
    return Batch.of(samples);
  }

  private static Sample sample(JsonNode prompt, JsonNode completion) {
    int[] tokens = new int[prompt.size() + completion.size()];
    boolean[] supervised = new boolean[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      supervised[i] = i >= prompt.size();
      JsonNode token = supervised[i] ? completion.get(i - prompt.size()) : prompt.get(i);
      tokens[i] = token.asInt();
    }
    return new Sample(tokens, supervised);
  }
}
