package dev.nibble.trainer.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.adapters.AdapterException;
import dev.nibble.adapters.AdapterMerge;
import dev.nibble.adapters.ChangedBase;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.Safetensors;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.Batch;
import dev.nibble.data.Sample;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.build.ModelLoader;
import dev.nibble.trainer.model.config.ModelConfig;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Adapters that hold more than their own tensors compute what PEFT computes, merged or not. */
@Tag("golden")
final class PeftExtrasTest {
  private final Kernels kernels = KernelSets.require("cpu").open(KernelOptions.exact(2));

  @TempDir private Path folder;

  @AfterEach
  void close() {
    kernels.close();
  }

  private static Path golden(String name) {
    try {
      return Path.of(
              Objects.requireNonNull(PeftExtrasTest.class.getResource("/golden/peft/make_peft.py"))
                  .toURI())
          .resolveSibling(name);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ModelOptions options(Training training) {
    return new ModelOptions(training, Optional.empty(), 16, Checkpointing.FULL);
  }

  private static boolean tied(Path base, ShardedSafetensors checkpoint) {
    return ModelConfig.of(base, checkpoint).tiedHead();
  }

  private float[][] adapted(Path base, PeftAdapter adapter, Batch batch) {
    try (ShardedSafetensors stored = ShardedSafetensors.open(base);
        ChangedBase changed = adapter.over(stored, tied(base, stored));
        Scope scope = Scope.open("adapted", kernels.memory())) {
      Training frozen = new Training.FrozenAdapter(adapter.spec(), 1);
      CausalLm model =
          ModelLoader.load(base, changed, options(frozen), kernels, scope, (done, total) -> {});
      adapter.copyTo(model.parameters(), kernels);
      return model.logits(batch);
    }
  }

  private float[][] merged(Path base, Path adapter, Batch batch) throws IOException {
    try (ShardedSafetensors stored = ShardedSafetensors.open(base);
        AdapterMerge merge = AdapterMerge.open(adapter);
        ChangedBase changed = merge.over(stored, tied(base, stored))) {
      MergedSource source = MergedSource.of(changed, Optional.empty(), merge, kernels);
      new MergedCheckpoint(source, source, kernels, DType.F32)
          .write(base, folder, Long.MAX_VALUE, (done, total) -> {});
    }
    try (Scope scope = Scope.open("merged", kernels.memory())) {
      return ModelLoader.load(folder, options(new Training.Nothing()), kernels, scope)
          .logits(batch);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "tied, bias-all",
    "tied, bias-lora-only",
    "tied, tokens-tied",
    "own-head, tokens-own-head",
    "tied, embeddings-tied",
    "own-head, embeddings-own-head",
    "tied, tying-saved",
    "tied, tying-lora",
    "own-head, embeddings-adapted",
    "tied, embeddings-adapted-tied"
  })
  void computesWhatPeftComputes(String base, String adapter) throws IOException {
    try (SafetensorsFile expected =
        Safetensors.open(golden(adapter).resolve("expected.safetensors"))) {
      int[] tokens = expected.tensor("tokens").toInts();
      Batch batch = Batch.of(List.of(new Sample(tokens, new boolean[tokens.length])));
      float[] logits = expected.tensor("logits").toFloats();
      check(adapted(golden(base), PeftAdapter.open(golden(adapter)), batch), logits);
      check(merged(golden(base), golden(adapter), batch), logits);
    }
  }

  private static void check(float[][] given, float[] expected) {
    int vocab = given[0].length;
    for (int i = 0; i < given.length; i++) {
      for (int v = 0; v < vocab; v++) {
        assertThat(given[i][v])
            .as("position %d, token %d", i, v)
            .isCloseTo(expected[i * vocab + v], within(2e-4f));
      }
    }
  }

  /** Nothing beside the adapter would train, or be saved again. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tied | bias-all | bias all, its own model.layers.0.self_attn.k_proj.bias",
        "tied | tokens-tied | trainable_token_indices {embed_tokens=[3, 7]}",
        "own-head | embeddings-own-head | its own model.embed_tokens.weight",
        "tied | tying-lora | ensure_weight_tying"
      })
  void trainingDoesNotGoOn(String base, String adapter, String why) {
    try (ShardedSafetensors stored = ShardedSafetensors.open(golden(base))) {
      boolean tied = tied(golden(base), stored);
      PeftAdapter peft = PeftAdapter.open(golden(adapter));
      assertThatThrownBy(() -> peft.requireTrainable(stored, tied))
          .isInstanceOf(AdapterException.class)
          .hasMessageContaining(golden(adapter) + " holds more than an adapter: ")
          .hasMessageContaining(why);
    }
  }

  @Test
  void changesThatDoNotFitAreNamed() throws IOException {
    Path llama = golden("../models/llama");
    try (ShardedSafetensors stored = ShardedSafetensors.open(llama)) {
      assertThatThrownBy(() -> PeftAdapter.open(golden("bias-all")).over(stored, false).close())
          .isInstanceOf(AdapterException.class)
          .hasMessageContaining(
              "is for model.layers.0.self_attn.k_proj.bias, which the base model has not");
      assertThatThrownBy(
              () -> PeftAdapter.open(golden("embeddings-own-head")).over(stored, false).close())
          .isInstanceOf(AdapterException.class)
          .hasMessageContaining("model.embed_tokens.weight is [32, 16], but the base model's is")
          .hasMessageContaining("give the base model with the vocabulary that it was trained on");
    }
    Path adapter = Files.createDirectories(folder.resolve("adapter"));
    Files.copy(
        golden("tokens-tied").resolve(PeftAdapter.WEIGHTS), adapter.resolve(PeftAdapter.WEIGHTS));
    String config = Files.readString(golden("tokens-tied").resolve(PeftAdapter.CONFIG));
    Files.writeString(adapter.resolve(PeftAdapter.CONFIG), config.replaceFirst("3,\\s+7", "3, 32"));
    try (ShardedSafetensors stored = ShardedSafetensors.open(golden("tied"))) {
      assertThatThrownBy(() -> PeftAdapter.open(adapter).over(stored, true).close())
          .hasMessageContaining("is for token 32, but the base model has only 32 embeddings");
    }
    Files.writeString(adapter.resolve(PeftAdapter.CONFIG), config.replaceFirst("3,\\s+7", "3"));
    try (ShardedSafetensors stored = ShardedSafetensors.open(golden("tied"))) {
      assertThatThrownBy(() -> PeftAdapter.open(adapter).over(stored, true).close())
          .hasMessageContaining("is [2, 16], but trainable_token_indices asks for [1, 16]");
    }
  }
}
