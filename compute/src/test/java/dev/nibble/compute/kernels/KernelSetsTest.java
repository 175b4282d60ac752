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
      return name;
    }

    @Override
    public Kernels open(int threads) {
      throw new AssertionError("choosing opens nothing");
    }
  }

  private static final KernelSet FAST = new Fake("cuda", Optional.of("no NVIDIA driver"));
  private static final KernelSet CPU = new Fake("cpu", Optional.empty());
  private static final KernelSet PORTABLE = new Fake("nd4j", Optional.empty());

  @Test
  void autoTakesTheFirstThatRuns() {
    assertThat(KernelSets.choose("auto", List.of(FAST, CPU, PORTABLE))).isSameAs(CPU);
  }

  @Test
  void aNameIsNeverReplacedInSilence() {
    assertThat(KernelSets.choose("nd4j", List.of(FAST, CPU, PORTABLE))).isSameAs(PORTABLE);
    assertThatThrownBy(() -> KernelSets.choose("cuda", List.of(FAST, CPU)))
        .isInstanceOf(KernelUnavailable.class)
        .hasMessageContaining("'cuda' cannot run here")
        .hasMessageContaining("cuda: no NVIDIA driver")
        .hasMessageContaining("cpu: can run here");
    assertThatThrownBy(() -> KernelSets.choose("tpu", List.of(CPU)))
        .hasMessageContaining("tpu: this build has no such set");
    assertThatThrownBy(() -> KernelSets.choose("auto", List.of(FAST)))
        .hasMessageContaining("no kernel set can run here");
  }

  @Test
  void theSetsOfThisBuildAreFoundTheFastestFirst() {
    assertThat(KernelSets.all()).extracting(KernelSet::name).containsSubsequence("cpu", "nd4j");
  }
}
