package dev.nibble.compute.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class KernelSetsTest {
  private record Fake(String name, Optional<String> unavailableBecause) implements KernelSet {
    @Override
    public String describe() {
      return "fake";
    }

    @Override
    public Kernels open(KernelOptions options) {
      return new ReferenceKernels();
    }
  }

  private static final KernelSet CUDA = new Fake("cuda", Optional.of("no driver"));
  private static final KernelSet CPU = new Fake("cpu", Optional.empty());
  private static final KernelSet ND4J = new Fake("nd4j", Optional.empty());

  @Test
  void autoTakesTheFirstThatRunsAndSaysWhatItPassedOver() {
    List<KernelSet> sets = List.of(CUDA, CPU, ND4J);
    assertThat(KernelSets.choose("auto", sets)).isSameAs(CPU);
    assertThat(KernelSets.describe(CPU)).isEqualTo("cpu: fake");
    assertThat(KernelSets.skipped("auto", CPU, sets)).containsExactly("cuda");
    assertThat(KernelSets.skipped("cpu", CPU, sets)).isEmpty();
  }

  @Test
  void aNameIsNeverReplaced() {
    assertThat(KernelSets.choose("nd4j", List.of(CUDA, CPU, ND4J))).isSameAs(ND4J);
    assertThatThrownBy(() -> KernelSets.choose("cuda", List.of(CUDA, CPU)))
        .isInstanceOf(KernelUnavailable.class)
        .hasMessageContaining("cuda: no driver")
        .hasMessageContaining("cpu: can run");
  }

  @Test
  void anUnknownNameListsTheSets() {
    assertThatThrownBy(() -> KernelSets.choose("gpu", List.of(CUDA, CPU)))
        .isInstanceOf(KernelUnavailable.class)
        .hasMessageContaining("gpu")
        .hasMessageContaining("cuda")
        .hasMessageContaining("cpu");
  }

  @Test
  void autoWithNothingThatRunsSaysWhy() {
    assertThatThrownBy(() -> KernelSets.choose("auto", List.of(CUDA)))
        .isInstanceOf(KernelUnavailable.class)
        .hasMessageContaining("no driver");
    assertThatThrownBy(() -> KernelSets.choose("auto", List.of()))
        .isInstanceOf(KernelUnavailable.class)
        .hasMessageContaining("class path");
  }

  @Test
  void findsNd4jOnTheClassPath() {
    assertThat(KernelSets.installed()).extracting(KernelSet::name).contains("nd4j");
    assertThat(KernelSets.require("nd4j").name()).isEqualTo("nd4j");
  }
}
