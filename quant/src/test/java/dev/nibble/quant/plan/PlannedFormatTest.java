package dev.nibble.quant.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.PlanningKernels;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.safetensors.ShardedSafetensors;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.FrozenMatrix;
import dev.nibble.quant.FrozenWeights;
import dev.nibble.quant.UnusableWeight;
import dev.nibble.quant.WeightFormat;
import dev.nibble.quant.named.UnknownFormat;
import dev.nibble.quant.plan.PlannedFormat.Planned;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SequencedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PlannedFormatTest {
  private static final List<String> FORMATS =
      List.of("nf4-32-plain", "hqq-2", "rtn-2", "nf3", "int8-g64", "nf3");
  private static final Shape SHAPE = Shape.of(64, 128);

  @TempDir private Path folder;
  private final Kernels kernels = KernelSets.require("cpu").open(KernelOptions.exact(1));
  private final PlannedFormat plan = new PlannedFormat(weights());

  private static String name(int i) {
    return "model.layers.%d.mlp.up_proj.weight".formatted(i);
  }

  private static SequencedMap<String, Planned> weights() {
    SequencedMap<String, Planned> weights = new LinkedHashMap<>();
    for (int i = 0; i < FORMATS.size(); i++) {
      weights.put(name(i), new Planned(SHAPE, PlannedFormat.candidate(FORMATS.get(i))));
    }
    return weights;
  }

  @BeforeEach
  void writeCheckpoint() throws IOException {
    try (Scope scope = Scope.open("test", Memory.host())) {
      Random random = new Random(5);
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      for (int i = 0; i <= FORMATS.size(); i++) {
        Tensor t = scope.allocate(name(i), DType.BF16, 64, 128);
        for (int e = 0; e < t.elements(); e++) {
          t.setFloat(e, random.nextGaussian() * 0.02);
        }
        tensors.put(name(i), t);
      }
      SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
    }
  }

  @AfterEach
  void close() {
    kernels.close();
  }

  private float[] decoded(FrozenMatrix matrix, Scope scope) {
    Tensor values = scope.allocate("decoded", DType.F32, 64, 128);
    kernels.products().decode(values, matrix);
    return values.toFloats();
  }

  @Test
  void givesEachWeightItsFormat() {
    try (Scope scope = Scope.open("run", kernels.memory());
        ShardedSafetensors checkpoint = ShardedSafetensors.open(folder)) {
      FrozenWeights planned = new FrozenWeights(checkpoint, Optional.of(plan), kernels, scope);
      double bits = 0;
      for (int i = 0; i < FORMATS.size(); i++) {
        WeightFormat format = PlannedFormat.candidate(FORMATS.get(i));
        FrozenWeights alone = new FrozenWeights(checkpoint, Optional.of(format), kernels, scope);
        FrozenMatrix expected = alone.load(name(i));
        FrozenMatrix made = planned.load(name(i));
        assertThat(made.bytes()).isEqualTo(expected.bytes());
        assertThat(decoded(made, scope)).isEqualTo(decoded(expected, scope));
        // Values that are changed on the way have names of their own, and are encoded alike.
        FrozenMatrix changed =
            planned.load(
                name(i),
                (weight, rounding) -> {
                  Tensor other = scope.allocate("other", DType.F32, 64, 128);
                  kernels.moving().copy(other, weight);
                  rounding.accept(other);
                  assertThat(other.toFloats()).isEqualTo(decoded(expected, scope));
                });
        assertThat(decoded(changed, scope)).isEqualTo(decoded(expected, scope));
        bits += format.bitsPerWeight();
      }
      assertThat(plan.bitsPerWeight()).isEqualTo(bits / FORMATS.size());
      assertThat(plan.describe()).startsWith("5 formats by plan, ").endsWith(" bits a weight");
    }
  }

  @Test
  void tablesOfAFormatAreThereOnce() {
    Kernels planning = PlanningKernels.of(kernels);
    try (Scope scope = Scope.open("plan", planning.memory())) {
      WeightFormat.Allocator allocator = plan.allocator(planning, scope);
      long tables = scope.bytes();
      long matrices = 0;
      for (String name : plan.weights().keySet()) {
        matrices += allocator.allocate(name, 64, 128).bytes();
      }
      int offsets = 2 * 4; // of nested scales, which a matrix's bytes leave out
      assertThat(scope.bytes()).isEqualTo(tables + matrices + offsets);
      assertThat(tables).isEqualTo((16 + 8 + 256) * 4);
    }
  }

  @Test
  void refusesWeightsOfAnotherModel() {
    try (Scope scope = Scope.open("run", kernels.memory())) {
      WeightFormat.Allocator allocator = plan.allocator(kernels, scope);
      assertThatThrownBy(() -> allocator.allocate(name(6), 64, 128))
          .isInstanceOf(UnusableWeight.class)
          .hasMessage("tensor '%s' has no format in the plan", name(6));
      assertThatThrownBy(() -> allocator.allocate(name(0), 128, 64))
          .isInstanceOf(UnusableWeight.class)
          .hasMessage("tensor '%s' is [128, 64], and [64, 128] in the plan", name(0));
    }
    assertThatThrownBy(plan::layout)
        .isInstanceOf(UnusableWeight.class)
        .hasMessageContaining("no checkpoint is stored in formats that differ");
  }

  @Test
  void someFormatsAreNotForPlans() {
    assertThatThrownBy(() -> PlannedFormat.candidate("gptq-4"))
        .isInstanceOf(UnplannableFormat.class)
        .hasMessageStartingWith("gptq-4 is no format for a plan: it is fitted to data");
    assertThatThrownBy(() -> PlannedFormat.candidate("full"))
        .isInstanceOf(UnplannableFormat.class)
        .hasMessageContaining("quantises every matrix");
    assertThatThrownBy(() -> PlannedFormat.candidate("nf5")).isInstanceOf(UnknownFormat.class);
  }
}
