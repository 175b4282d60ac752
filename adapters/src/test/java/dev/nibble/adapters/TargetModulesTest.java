package dev.nibble.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

final class TargetModulesTest {
  private static final List<String> MODULES =
      List.of("layers.0.attn.q_proj", "layers.0.mlp.up_proj", "layers.1.attn.q_proj");

  @Test
  void aNameMatchesWholePathSegmentsFromTheEnd() {
    assertThat(TargetModules.named(List.of("q_proj")).resolve(MODULES))
        .containsExactly("layers.0.attn.q_proj", "layers.1.attn.q_proj");
    assertThat(TargetModules.named(List.of("layers.1.attn.q_proj", "mlp.up_proj")).resolve(MODULES))
        .containsExactly("layers.0.mlp.up_proj", "layers.1.attn.q_proj");
  }

  @Test
  void allLinearIsAll() {
    assertThat(TargetModules.allLinear().resolve(MODULES)).containsExactlyElementsOf(MODULES);
  }

  @Test
  void unknownNamesAreListedTogetherWithTheKnown() {
    assertThatThrownBy(() -> TargetModules.named(List.of("proj", "up_proj", "x")).resolve(MODULES))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("[proj, x]")
        .hasMessageContaining("[q_proj, up_proj]");
    assertThatThrownBy(() -> TargetModules.named(List.of()))
        .hasMessageContaining("no target modules");
  }
}
