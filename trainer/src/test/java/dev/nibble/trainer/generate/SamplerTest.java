package dev.nibble.trainer.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class SamplerTest {
  /** Probabilities 0.1, 0.4, 0.3, 0.2 of tokens 0 to 3. */
  private static final float[] LOGITS = {
    (float) Math.log(0.1), (float) Math.log(0.4), (float) Math.log(0.3), (float) Math.log(0.2)
  };

  @Test
  void greedyTakesTheMostLikelyAndTheFirstOfEquals() {
    Sampler greedy = new Sampler.Greedy();
    assertThat(greedy.choose(LOGITS, 0.99)).isEqualTo(1);
    assertThat(greedy.choose(new float[] {1, 2, 2}, 0)).isEqualTo(1);
    assertThat(greedy.choose(new float[] {-3, -2, -1}, 0)).isEqualTo(2);
  }

  @Test
  void drawsByProbability() {
    check(new Sampler.Random(1, 0, 1), 0.1, 0.4, 0.3, 0.2);
  }

  @Test
  void temperatureSharpens() {
    // Squares of the probabilities, over their sum 0.3.
    check(new Sampler.Random(0.5, 0, 1), 0.01 / 0.3, 0.16 / 0.3, 0.09 / 0.3, 0.04 / 0.3);
  }

  @Test
  void topKKeepsTheMostLikely() {
    check(new Sampler.Random(1, 2, 1), 0, 4 / 7.0, 3 / 7.0, 0);
    check(new Sampler.Random(1, 9, 1), 0.1, 0.4, 0.3, 0.2);
  }

  @Test
  void topPKeepsTheSmallestSetThatReachesIt() {
    check(new Sampler.Random(1, 0, 0.3), 0, 1, 0, 0);
    check(new Sampler.Random(1, 0, 0.65), 0, 4 / 7.0, 3 / 7.0, 0);
    check(new Sampler.Random(1, 0, 0.85), 0, 4 / 9.0, 3 / 9.0, 2 / 9.0);
    // Of the two that top-k leaves, the first alone has 4/7.
    check(new Sampler.Random(1, 2, 0.5), 0, 1, 0, 0);
  }

  @Test
  void refusesValuesOutOfRange() {
    assertThatThrownBy(() -> new Sampler.Random(0, 0, 1)).hasMessageContaining("temperature");
    assertThatThrownBy(() -> new Sampler.Random(1, -1, 1)).hasMessageContaining("top-k");
    assertThatThrownBy(() -> new Sampler.Random(1, 0, 0)).hasMessageContaining("top-p");
    assertThatThrownBy(() -> new Sampler.Random(1, 0, 1.1)).hasMessageContaining("top-p");
  }

  /** Evenly spaced draws hit each token as often as its probability says. */
  private static void check(Sampler sampler, double... expected) {
    int draws = 10_000;
    double[] share = new double[expected.length];
    IntStream.range(0, draws)
        .forEach(i -> share[sampler.choose(LOGITS, (i + 0.5) / draws)] += 1.0 / draws);
    assertThat(share).containsExactly(expected, within(2e-4));
  }
}
