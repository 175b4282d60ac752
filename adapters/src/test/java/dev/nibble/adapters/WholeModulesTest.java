package dev.nibble.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

final class WholeModulesTest {
  private static final List<String> TENSORS =
      List.of(
          "model.embed_tokens.weight",
          "model.layers.0.input_layernorm.weight",
          "model.layers.0.mlp.up_proj.weight",
          "model.layers.0.mlp.up_proj.bias",
          "model.norm.weight",
          "lm_head.weight");

  @Test
  void aNameIsTheEndOfAModulesPath() {
    assertThat(WholeModules.tensors(List.of("lm_head", "up_proj"), TENSORS))
        .containsExactly(TENSORS.get(2), TENSORS.get(3), TENSORS.get(5));
    assertThat(WholeModules.tensors(List.of("norm"), TENSORS))
        .containsExactly(TENSORS.get(1), TENSORS.get(4));
    assertThat(WholeModules.tensors(List.of("layers.0.mlp"), TENSORS))
        .containsExactly(TENSORS.get(2), TENSORS.get(3));
    assertThat(WholeModules.tensors(List.of(), TENSORS)).isEmpty();
  }

  @Test
  void namesWithoutAModuleAreListed() {
    assertThatThrownBy(() -> WholeModules.tensors(List.of("norm", "head", "score"), TENSORS))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("modules_to_save [score] match no module")
        .hasMessageContaining("[embed_tokens, input_layernorm, lm_head, norm, up_proj]");
  }
}
