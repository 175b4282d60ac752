package dev.nibble.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.adapters.Parameters.ParameterGroup;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.safetensors.SafetensorsWriter;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Shape;
import dev.nibble.compute.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AdapterMergeTest {
  private static final LoraSpec SPEC =
      new LoraSpec(2, 6, 0, TargetModules.named(List.of("q_proj", "embed_tokens")));

  @TempDir private Path folder;
  private final Random random = new Random(8);
  private Kernels kernels;
  private Scope scope;

  @BeforeEach
  void open() {
    kernels = KernelSets.require("cpu").open(KernelOptions.exact(1));
    scope = Scope.open("test", kernels.memory());
  }

  @AfterEach
  void close() {
    scope.close();
    kernels.close();
  }

  private Parameters save(LoraSpec spec, List<AdapterTarget> targets) {
    Parameters.Builder builder = new Parameters.Builder();
    spec.declare(builder, targets);
    builder.add(PeftNames.whole("model.norm.weight"), ParameterGroup.FAST, false, 3);
    Parameters p = builder.allocate(scope, "adapters");
    for (int i = 0; i < p.count(); i++) {
      p.weights().setFloat(i, random.nextGaussian());
    }
    PeftAdapter.saveExact(folder, spec, "", p, kernels);
    return p;
  }

  private Tensor normal(long... dims) {
    Tensor t = scope.allocate("t", DType.F32, dims);
    for (int i = 0; i < t.elements(); i++) {
      t.setFloat(i, random.nextGaussian());
    }
    return t;
  }

  private static AdapterTarget linear(String module) {
    return new AdapterTarget(module, false, 5, 4, 1);
  }

  @Test
  void everyPartJoinsItsTensor() {
    LoraSpec spec = SPEC.withBias().withModulesToSave("norm");
    Parameters p = save(spec, List.of(linear("q_proj")));
    try (AdapterMerge merge = AdapterMerge.open(folder)) {
      assertThat(merge.spec())
          .isInstanceOfSatisfying(LoraSpec.class, lora -> assertThat(lora.bias()).isTrue());
      assertThat(merge.tensors())
          .containsExactlyInAnyOrder("q_proj.weight", "q_proj.bias", "model.norm.weight");
      assertThat(merge.changes("q_proj.bias")).isTrue();
      assertThat(merge.changes("k_proj.weight")).isFalse();
      assertThat(merge.additions(List.of("q_proj.weight", "q_proj.bias")))
          .containsExactly("model.norm.weight");
      assertThatThrownBy(() -> merge.additions(List.of("q_proj.weight", "model.norm.weight")))
          .isInstanceOf(AdapterException.class)
          .hasMessageContaining("so it cannot be merged: q_proj.bias");
      assertThat(merge.shape("q_proj.bias")).isEqualTo(Shape.of(5));
      Tensor a = p.named(LoraNames.a("q_proj")).weight();
      Tensor b = p.named(LoraNames.b("q_proj")).weight();
      Tensor weight = normal(5, 4);
      float[] before = weight.toFloats();
      merge.merge("q_proj.weight", weight, kernels);
      for (int o = 0; o < 5; o++) {
        for (int i = 0; i < 4; i++) {
          double update = 0;
          for (int k = 0; k < 2; k++) {
            update += b.getDouble(2L * o + k) * a.getDouble(4L * k + i);
          }
          assertThat(weight.getDouble(4L * o + i))
              .isCloseTo(before[4 * o + i] + 3 * update, within(1e-5));
        }
      }
      Tensor bias = scope.allocate("bias", DType.F32, 5);
      merge.merge("q_proj.bias", bias, kernels);
      Tensor learned = p.named(PeftNames.of("q_proj", LoraNames.B_BIAS)).weight();
      assertThat(bias.getDouble(4)).isCloseTo(3 * learned.getDouble(4), within(1e-6));
      Tensor norm = normal(3);
      merge.merge("model.norm.weight", norm, kernels);
      assertThat(norm.toFloats())
          .isEqualTo(p.named(PeftNames.whole("model.norm.weight")).weight().toFloats());
    }
  }

  @Test
  void aTableGetsTheTransposedUpdate() {
    Parameters p = save(SPEC, List.of(new AdapterTarget("embed_tokens", true, 3, 7, 1)));
    Tensor a = p.named(PeftNames.of("embed_tokens", LoraNames.EMBEDDING_A)).weight();
    Tensor b = p.named(PeftNames.of("embed_tokens", LoraNames.EMBEDDING_B)).weight();
    try (AdapterMerge merge = AdapterMerge.open(folder)) {
      assertThat(merge.shape("embed_tokens.weight")).isEqualTo(Shape.of(7, 3));
      Tensor table = scope.allocate("table", DType.F32, 7, 3);
      merge.merge("embed_tokens.weight", table, kernels);
      for (int t = 0; t < 7; t++) {
        for (int c = 0; c < 3; c++) {
          double update =
              a.getDouble(t) * b.getDouble(2L * c) + a.getDouble(7 + t) * b.getDouble(2L * c + 1);
          assertThat(table.getDouble(3L * t + c)).isCloseTo(3 * update, within(1e-5));
        }
      }
    }
  }

  @Test
  void rowsHaveTheMagnitudesOfDora() {
    Parameters p = save(SPEC.withDora(), List.of(linear("q_proj")));
    Tensor m = p.named(PeftNames.of("q_proj", LoraNames.MAGNITUDE)).weight();
    try (AdapterMerge merge = AdapterMerge.open(folder)) {
      Tensor weight = normal(5, 4);
      merge.merge("q_proj.weight", weight, kernels);
      for (int o = 0; o < 5; o++) {
        double length = RowLengths.length(weight.slice(o, o + 1L));
        assertThat(length).isCloseTo(Math.abs(m.getDouble(o)), within(1e-5));
      }
    }
  }

  @Test
  void refusesWhatDoesNotFit() throws IOException {
    save(SPEC, List.of(linear("q_proj")));
    try (AdapterMerge merge = AdapterMerge.open(folder)) {
      assertThatThrownBy(() -> merge.merge("q_proj.weight", normal(5, 3), kernels))
          .isInstanceOf(AdapterException.class)
          .hasMessageContaining("q_proj.weight is [5, 3] in the base model, but the adapter was");
      assertThatThrownBy(() -> merge.shape("k_proj.weight"))
          .hasMessageContaining("does not change k_proj.weight");
    }
    Map<String, Tensor> half = Map.of(LoraNames.a("q_proj"), normal(2, 4));
    SafetensorsWriter.write(folder.resolve(PeftAdapter.WEIGHTS), half, Map.of());
    assertThatThrownBy(() -> AdapterMerge.open(folder))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("module q_proj has only [base_model.model.q_proj.lora_A.weight]");
    SafetensorsWriter.write(
        folder.resolve(PeftAdapter.WEIGHTS), Map.of("q_proj.lora_A", normal(2, 4)), Map.of());
    assertThatThrownBy(() -> AdapterMerge.open(folder))
        .hasMessageContaining("tensor q_proj.lora_A is not named as PEFT names");
    String config = Files.readString(folder.resolve(PeftConfig.FILE));
    Files.writeString(
        folder.resolve(PeftConfig.FILE),
        config.replace("\"init_lora_weights\": true", "\"init_lora_weights\": \"pissa\""));
    assertThatThrownBy(() -> AdapterMerge.open(folder))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("\"init_lora_weights\" is \"pissa\"")
        .hasMessageContaining("Merge an adapter that was saved as plain LoRA");
  }
}
