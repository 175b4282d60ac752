package dev.nibble.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.LinkedHashMap;
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
