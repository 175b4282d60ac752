package dev.nibble.api.planning;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.ModuleChoice;
import dev.nibble.adapters.TargetModules;
import dev.nibble.api.estimate.MemoryBudget;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.config.ModelConfig;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What can be tried of a large model, which is planned and not made. */
final class StepRateProbeTest {
  private static final ModelConfig LARGE =
      ModelConfig.parse(
          "config.json",
          """
          {"model_type": "llama", "vocab_size": 32000, "hidden_size": 4096,
           "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
           "max_position_embeddings": 4096, "tie_word_embeddings": false}
          """);
  private static final MemoryBudget BUDGET = new MemoryBudget(2L << 30, 0, "there are 2 GiB");

  @Test
  void twoLayers() {
    StepRateProbe probe = probe(TargetModules.allLinear());
    assertThat(probe.layers()).isEqualTo(2);
    assertThat(obstacle(probe, BUDGET)).isEmpty();
  }

  @Test
  void notWithoutMemory() {
    assertThat(obstacle(probe(TargetModules.allLinear()), new MemoryBudget(1L << 20, 0, "1 MiB")))
        .hasValue("there is too little memory to measure");
  }

  @Test
  void notWhereOnlyLaterLayersAreAdapted() {
    var targets = TargetModules.of(new ModuleChoice.Matching("model\\.layers\\.2\\d\\..*q_proj"));
    assertThat(obstacle(probe(targets), BUDGET))
        .hasValue("the first layers cannot be measured alone");
  }

  private static StepRateProbe probe(TargetModules targets) {
    var options =
        new ModelOptions(
            new Training.Adapter(new LoraSpec(16, 16, 0, targets), 0),
            Optional.of(new FourBitFormat(FourBitFormat.QuantType.NF4, 64, true)),
            512,
            Checkpointing.FULL);
    return new StepRateProbe(LARGE, options, 1);
  }

  private static Optional<String> obstacle(StepRateProbe probe, MemoryBudget budget) {
    try (Kernels kernels = KernelSets.require("cpu").open(KernelOptions.ofThreads(0))) {
      return probe.impossibleBecause(kernels, Optional.of(budget));
    }
  }
}
