package dev.nibble.trainer.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.nibble.adapters.LoraSpec;
import dev.nibble.adapters.TargetModules;
import dev.nibble.compute.kernels.InterceptedKernels;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.data.Batch;
import dev.nibble.data.Sample;
import dev.nibble.quant.bnb.FourBitFormat;
import dev.nibble.trainer.model.CausalLm;
import dev.nibble.trainer.model.Checkpointing;
import dev.nibble.trainer.model.ModelOptions;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.model.build.RandomModel;
import dev.nibble.trainer.model.config.ModelConfig;
import dev.nibble.trainer.objective.NextTokenLoss;
import dev.nibble.trainer.objective.Objective;
import dev.nibble.trainer.optim.AdamW;
import dev.nibble.trainer.optim.GradientClip;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * What a step takes from Java's heap beside its kernels: views of tensors, as many for a long batch
 * as for a short one. Tensors themselves cannot be taken in a step, since the scope is sealed.
 */
final class StepHeapTest {
  private static final int LAYERS = 3;
  private static final int MOST_TOKENS = 256;

  /** Of a layer and step, a view or some for each of its kernels. */
  private static final long MOST_BYTES = 20 << 10;

  private boolean computes = true;

  @Test
  void aStepTakesAFewViewsWhateverItsLength() {
    try (Kernels real = KernelSets.require("cpu").open(KernelOptions.exact(1));
        Scope scope = Scope.open("run", real.memory())) {
      Kernels kernels = thatMayRest(real);
      CausalLm model = RandomModel.make(shape(), 1, options(), kernels, scope, part -> {}).model();
      AdamW optimizer = new AdamW(kernels, model.parameters(), AdamW.Settings.DEFAULT, scope);
      GradientClip clip = new GradientClip(kernels, 1, scope);
      Objective objective = new NextTokenLoss(kernels, scope, MOST_TOKENS);
      scope.seal();
      computes = false;
      long few = heapOfAStep(kernels, model, objective, optimizer, clip, batch(16));
      long many = heapOfAStep(kernels, model, objective, optimizer, clip, batch(MOST_TOKENS));
      assertThat(few).isPositive().isLessThan(LAYERS * MOST_BYTES);
      assertThat(many).isLessThan(few + few / 20);
    }
  }

  /** The least of some steps: Java itself takes some for what it does for the first time. */
  private static long heapOfAStep(
      Kernels kernels,
      CausalLm model,
      Objective objective,
      AdamW optimizer,
      GradientClip clip,
      Batch batch) {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 20; i++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      model.parameters().zeroGradients(kernels);
      model.accumulate(batch, i, objective);
      clip.apply(model.parameters().gradients());
      optimizer.update(1e-4);
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    return least;
  }

  /** The same kernels, which compute nothing once the model is made. */
  private Kernels thatMayRest(Kernels real) {
    return new InterceptedKernels(real) {
      @Override
      protected void call(Operation operation, Object[] args) {
        if (computes) {
          operation.run(args);
        }
      }
    };
  }

  private static Batch batch(int tokens) {
    boolean[] learned = new boolean[tokens];
    Arrays.fill(learned, true);
    return Batch.of(List.of(new Sample(new int[tokens], learned)));
  }

  private static ModelOptions options() {
    return new ModelOptions(
        new Training.Adapter(new LoraSpec(4, 8, 0, TargetModules.allLinear()), 1),
        Optional.of(new FourBitFormat(FourBitFormat.QuantType.NF4, 64, true)),
        MOST_TOKENS,
        Checkpointing.FULL);
  }

  private static ModelConfig shape() {
    return ModelConfig.parse(
        "config.json",
        """
        {"model_type": "llama", "vocab_size": 64, "hidden_size": 64, "intermediate_size": 128,
         "num_hidden_layers": %d, "num_attention_heads": 2, "num_key_value_heads": 1,
         "max_position_embeddings": 512, "tie_word_embeddings": false}\
        """
            .formatted(LAYERS));
  }
}
