package dev.nibble.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.adapters.TargetModules.Layers;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class TargetModulesTest {
  private static final List<String> LINEARS =
      List.of(
          "model.layers.0.attn.q_proj", "model.layers.0.mlp.up_proj", "model.layers.1.attn.q_proj");
  private static final ModelModules MODULES =
      new ModelModules("llama", LINEARS, List.of("model.embed_tokens", "lm_head"));

  @Test
  void aNameMatchesWholePathSegmentsFromTheEnd() {
    assertThat(TargetModules.named(List.of("q_proj")).resolve(MODULES, List.of()))
        .containsExactly("model.layers.0.attn.q_proj", "model.layers.1.attn.q_proj");
    assertThat(
            TargetModules.named(List.of("model.layers.1.attn.q_proj", "mlp.up_proj"))
                .resolve(MODULES, List.of()))
        .containsExactly("model.layers.0.mlp.up_proj", "model.layers.1.attn.q_proj");
  }

  @Test
  void allLinearIsAll() {
    assertThat(TargetModules.allLinear().resolve(MODULES, List.of()))
        .containsExactlyElementsOf(LINEARS);
  }

  @Test
  void unknownNamesAreListedTogetherWithTheKnown() {
    assertThatThrownBy(
            () -> TargetModules.named(List.of("proj", "up_proj", "x")).resolve(MODULES, List.of()))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("[proj, x]")
        .hasMessageContaining("[embed_tokens, lm_head, q_proj, up_proj]");
    assertThatThrownBy(() -> TargetModules.named(List.of()))
        .hasMessageContaining("no target modules");
  }

  @Test
  void anExpressionMatchesWholeNames() {
    assertThat(matching(".*[.]attn[.](?P<p>q|k)_proj"))
        .containsExactly(LINEARS.get(0), LINEARS.get(2));
    assertThat(matching("lm_head|.*up_proj")).containsExactly(LINEARS.get(1), "lm_head");
    assertThatThrownBy(() -> matching("attn"))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("\"attn\": the expression matches no module as a whole")
        .hasMessageContaining("lm_head, model.layers.0.attn.q_proj, model.layers.0.mlp.up_proj");
    assertThatThrownBy(() -> matching("(q"))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("\"(q\" is no regular expression: ");
  }

  private static Set<String> matching(String regex) {
    return TargetModules.of(new ModuleChoice.Matching(regex)).resolve(MODULES, List.of());
  }

  @Test
  void tablesAreNamedButNotLinear() {
    assertThat(TargetModules.named(List.of("embed_tokens", "up_proj")).resolve(MODULES, List.of()))
        .containsExactly(LINEARS.get(1), "model.embed_tokens");
  }

  @Test
  void someAreLeftOut() {
    TargetModules all = TargetModules.allLinear();
    ModuleChoice up = new ModuleChoice.Named(List.of("up_proj"));
    ModuleChoice first = new ModuleChoice.Matching(".*[.]0[.].*");
    assertThat(all.except(up).resolve(MODULES, List.of()))
        .containsExactly(LINEARS.get(0), LINEARS.get(2));
    assertThat(all.except(first).resolve(MODULES, List.of())).containsExactly(LINEARS.get(2));
    assertThat(all.resolve(MODULES, List.of("mlp"))).doesNotContain(LINEARS.get(1));
    assertThatThrownBy(() ->
            TargetModules.named(List.of("up_proj")).except(up).resolve(MODULES, List.of("lm_head")))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining(
            "no target module is left of [up_proj]; left out are: exclude_modules [up_proj], modules_to_save [lm_head]");
    assertThatThrownBy(() -> all.except(new ModuleChoice.AllLinear()))
        .hasMessageContaining("exclude_modules takes");
  }

  @Test
  void someLayersOnly() {
    Layers second = new Layers(List.of(1), List.of());
    assertThat(TargetModules.named(List.of("q_proj")).in(second).resolve(MODULES, List.of()))
        .containsExactly(LINEARS.get(2));
    assertThat(
            TargetModules.allLinear()
                .in(new Layers(List.of(0), List.of("layers")))
                .resolve(MODULES, List.of()))
        .containsExactly(LINEARS.get(0), LINEARS.get(1));
    assertThatThrownBy(() ->
            TargetModules.allLinear()
                .in(new Layers(List.of(0), List.of("blocks")))
                .resolve(MODULES, List.of()))
        .hasMessageContaining("all layers but [0]");
    assertThat(
            TargetModules.named(List.of(LINEARS.get(0), "up_proj"))
                .in(second)
                .resolve(MODULES, List.of()))
        .containsExactly(LINEARS.get(0));
    TargetModules regex = TargetModules.of(new ModuleChoice.Matching(".*"));
    assertThatThrownBy(() -> regex.in(second))
        .hasMessageContaining("layers_to_transform does not go");
    assertThatThrownBy(() -> new Layers(List.of(), List.of()))
        .hasMessageContaining("names no layer");
  }

  @Test
  void whatDoesNothingIsAnError() {
    TargetModules queries = TargetModules.named(List.of("q_proj"));
    queries.in(new Layers(List.of(0, 1), List.of())).requireUse(MODULES);
    assertThatThrownBy(
            () -> queries.in(new Layers(List.of(1, 2, 40), List.of())).requireUse(MODULES))
        .isInstanceOf(AdapterException.class)
        .hasMessage(
            "layers_to_transform [2, 40] match no target module; the layers with one are [0, 1]");
    assertThatThrownBy(
            () -> queries.in(new Layers(List.of(1), List.of("blocks"))).requireUse(MODULES))
        .hasMessageContaining("no target module is in a layer of layers_pattern [blocks]");
    TargetModules except = queries.except(new ModuleChoice.Named(List.of("gate", "up_proj")));
    assertThatThrownBy(() -> except.requireUse(MODULES))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("excluded modules [gate] match no module of the model");
    assertThat(except.resolve(MODULES, List.of())).hasSize(2);
  }

  @Test
  void whatAFileDoesNotUseIsLeftOut() {
    TargetModules targets =
        TargetModules.named(List.of("q_proj", "c_attn"))
            .in(new Layers(List.of(0, 7), List.of("layers")));
    assertThat(targets.inUse(Set.of(LINEARS.get(0), "lm_head"), true))
        .isEqualTo(
            TargetModules.named(List.of("q_proj", "lm_head"))
                .in(new Layers(List.of(0), List.of("layers"))));
  }

  @Test
  void whatIsNotSaidIsPeftsDefault() {
    TargetModules unsaid = TargetModules.of(ModuleChoice.ModelDefault.QUERY_AND_VALUE);
    assertThatThrownBy(() -> unsaid.resolve(MODULES, List.of())).hasMessageContaining("[v_proj]");
    ModelModules qwen =
        new ModelModules("qwen3", List.of("a.q_proj", "a.k_proj", "a.v_proj"), List.of());
    assertThat(unsaid.resolve(qwen, List.of())).containsExactly("a.q_proj", "a.v_proj");
    assertThatThrownBy(
            () -> unsaid.resolve(new ModelModules("phi3", LINEARS, List.of()), List.of()))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("no default for model type phi3");
  }
}
