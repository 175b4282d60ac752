package dev.nibble.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class LoraRanksTest {

  @Test
  void theFirstPatternThatMatchesTheWholeNameWins() {
    Map<String, Integer> ranks = new LinkedHashMap<>();
    ranks.put("layers.1.self_attn.q_proj", 2);
    ranks.put("(q|k)_proj", 3);
    ranks.put("q_proj", 4);
    LoraRanks r = new LoraRanks(8, 16, false, ranks, Map.of("k_proj", 6.0));
    assertThat(r.rank("model.layers.1.self_attn.q_proj")).isEqualTo(2);
    assertThat(r.rank("model.layers.0.self_attn.q_proj")).isEqualTo(3);
    assertThat(r.rank("q_proj")).isEqualTo(3);
    assertThat(r.rank("model.layers.0.self_attn.qq_proj")).isEqualTo(8);
    assertThat(r.rank("model.layers.0.self_attn.v_proj")).isEqualTo(8);
    assertThat(r.largest()).isEqualTo(8);
    assertThat(r.scale("a.k_proj")).isEqualTo(2);
    assertThat(r.scale("a.v_proj")).isEqualTo(2);
  }

  @Test
  void aKeyThatSpeaksForNoModuleIsAnError() {
    List<String> modules = List.of("layers.0.q_proj", "layers.0.k_proj");
    Map<String, Integer> ranks = new LinkedHashMap<>();
    ranks.put("q_proj", 2);
    ranks.put("(q|k)_proj", 3);
    LoraRanks used = new LoraRanks(8, 16, false, ranks, Map.of());
    used.requireUse(modules);
    assertThatThrownBy(() -> used.requireUse(List.of("layers.0.q_proj")))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("rank_pattern: the keys [(q|k)_proj] speak for none");
    assertThat(used.inUse(List.of("layers.0.q_proj")).rankPattern())
        .containsExactly(Map.entry("q_proj", 2));
    LoraRanks alphas = new LoraRanks(8, 16, false, Map.of(), Map.of("gate_proj", 1.0));
    assertThatThrownBy(() -> alphas.requireUse(modules))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining(
            "alpha_pattern: the keys [gate_proj] speak for none of the adapted modules [k_proj, q_proj]");
  }

  @Test
  void rsloraDividesByTheRootOfThePatternsRank() {
    LoraRanks r = new LoraRanks(4, 8, true, Map.of("up", 16), Map.of("down", 3.0));
    assertThat(r.scale("q")).isEqualTo(4);
    assertThat(r.scale("a.up")).isEqualTo(2);
    assertThat(r.scale("a.down")).isEqualTo(1.5);
  }

  @Test
  void doublingTheRankKeepsEveryScale() {
    for (boolean rslora : new boolean[] {false, true}) {
      LoraRanks r = new LoraRanks(4, 8, rslora, Map.of("up", 6), Map.of("down", 3.0, "up", 5.0));
      for (String module : new String[] {"q", "up", "down"}) {
        assertThat(r.doubled().rank(module)).isEqualTo(2 * r.rank(module));
        assertThat(r.doubled().scale(module)).isCloseTo(r.scale(module), within(1e-12));
      }
    }
  }
}
