package dev.nibble.examples.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.TargetModules;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.examples.ProgramException;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.quant.bnb.FourBitFormat.QuantType;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.build.ModelLoader;
import dev.nibble.trainer.model.config.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RandomCheckpointTest {
  private static final LlamaShape TINY = LlamaShape.named("tiny");

  @TempDir Path folder;

  private static Path tokenizer() {
    return Path.of("wordnet", "base");
  }

  @Test
  void aModelInSeveralFilesThatLoads() throws IOException {
    RandomCheckpoint.write(TINY, tokenizer(), folder, 8_000_000);
    assertThat(folder).isDirectoryContaining("glob:**/model-00004-of-*.safetensors");
    assertThat(folder.resolve("tokenizer.json")).exists();
    ModelOptions options =
        new ModelOptions(
            new Training.Adapter(new LoraSpec(4, 4, 0, TargetModules.allLinear()), 0),
            Optional.of(new FourBitFormat(QuantType.NF4, 64, true)),
            16,
            Checkpointing.FULL);
    try (Kernels kernels = KernelSets.require("cpu").open(KernelOptions.ofThreads(0));
        Scope scope = Scope.open("test", kernels.memory())) {
      CausalLm model = ModelLoader.load(folder, options, kernels, scope);
      assertThat(model.vocabSize()).isEqualTo(4096);
    }
    assertThat(ModelConfig.of(folder).weights()).isEqualTo(TINY.weights());
  }

  @Test
  void weightsAreAboutNormal() throws IOException {
    RandomCheckpoint.write(TINY, tokenizer(), folder, Long.MAX_VALUE);
    assertThat(Files.exists(folder.resolve("model.safetensors.index.json"))).isFalse();
    try (ShardedSafetensors checkpoint = ShardedSafetensors.open(folder)) {
      Tensor t = checkpoint.tensor("model.layers.0.self_attn.q_proj.weight");
      float[] values = t.toFloats();
      double sum = 0;
      double squares = 0;
      for (float v : values) {
        sum += v;
        squares += v * v;
      }
      assertThat(sum / values.length).isCloseTo(0, within(1e-4));
      assertThat(Math.sqrt(squares / values.length)).isCloseTo(0.02, within(2e-4));
      float[] other = checkpoint.tensor("model.layers.1.self_attn.q_proj.weight").toFloats();
      assertThat(Arrays.equals(values, other)).isFalse();
      assertThat(checkpoint.tensor("model.norm.weight").toFloats()).containsOnly(1);
    }
  }

  @Test
  void aFolderWithoutTokenizer() {
    assertThatThrownBy(() -> RandomCheckpoint.write(TINY, folder, folder, 1 << 20))
        .isInstanceOf(ProgramException.class)
        .hasMessageContaining("has no tokenizer.json");
    assertThatThrownBy(() -> LlamaShape.named("8b")).hasMessageContaining("none of tiny");
  }
}
