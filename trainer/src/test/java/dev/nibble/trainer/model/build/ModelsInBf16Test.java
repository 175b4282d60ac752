package dev.nibble.trainer.model.build;

import static dev.nibble.trainer.model.build.Close.flatten;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.adapters.PeftAdapter;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelOptions.Activations;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.TensorValues;
import dev.nibble.compute.safetensors.SafetensorsFile;
import dev.nibble.data.Batch;
import dev.nibble.trainer.model.Training;
import dev.nibble.trainer.objective.LossSum;
import java.nio.file.Files;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Models with activations in bfloat16, as users run them, against what transformers and PEFT
 * computed in float32. A bfloat16 has 8 bits: 0.4 % in each rounding, of which a model of a few
 * layers adds up some.
 */
@Tag("golden")
@Tag("gpu")
final class ModelsInBf16Test {
  private static final double LOGITS = 0.05;
  private static final double LOSS = 0.01;
  private static final double GRADIENTS = 0.1;

  static Stream<Arguments> models() {
    List<String> models =
        Golden.models().stream()
            .filter(model -> Files.isDirectory(Golden.model(model + "/lora")))
            .toList();
    return sets().stream().flatMap(set -> models.stream().map(model -> Arguments.of(set, model)));
  }

  /** The sets that can compute so here. */
  private static List<String> sets() {
    List<String> sets =
        KernelSets.installed().stream()
            .filter(set -> set.unavailableBecause().isEmpty())
            .map(KernelSet::name)
            .filter(ModelsInBf16Test::opens)
            .toList();
    if (sets.isEmpty()) {
      System.out.println(
          "Skipping models in bfloat16: there is no GPU, and no CPU that multiplies bfloat16");
    }
    return sets;
  }

  private static boolean opens(String set) {
    try (Kernels kernels = open(set)) {
      return kernels.name().equals(set);
    } catch (KernelUnavailable e) {
      return false;
    }
  }

  private static Kernels open(String set) {
    return KernelSets.require(set).open(KernelOptions.ofThreads(0).computingIn(Activations.BF16));
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("models")
  void logitsLossAndGradients(String set, String name) {
    String variant = name + "/lora";
    PeftAdapter adapter = PeftAdapter.open(Golden.adapter(variant));
    try (SafetensorsFile golden = Golden.file(Golden.model(variant));
        SafetensorsFile inputs = Golden.file(Golden.model(name));
        ModelFixture f =
            ModelFixture.build(
                open(set),
                (kernels, scope) ->
                    ModelLoader.load(
                        Golden.model(name),
                        ModelFixture.options(new Training.Adapter(adapter.spec(), 0)),
                        kernels,
                        scope))) {
      adapter.copyTo(f.model.parameters(), f.kernels);
      Batch batch = Golden.batch(inputs);
      Close.assertClose(
          "logits", flatten(f.model.logits(batch)), golden.tensor("logits").toFloats(), LOGITS);
      LossSum loss = f.model.accumulate(batch, 1, f.objective);
      double expected = golden.tensor("loss").getFloat(0);
      assertThat(loss.mean()).as("loss").isEqualTo(expected, within(LOSS * expected));
      f.kernels.pointwise().scale(f.model.parameters().gradients(), 1.0 / loss.terms());
      for (Parameter p : f.model.parameters().all()) {
        Close.assertClose(
            p.name(),
            TensorValues.of(f.kernels, p.gradient()),
            golden.tensor("grad." + p.name()).toFloats(),
            GRADIENTS);
      }
    }
  }
}
