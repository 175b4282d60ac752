package dev.nibble.trainer.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.trainer.model.Decoder;
import dev.nibble.trainer.model.ModelException;
import dev.nibble.trainer.toy.ToyLm;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Over a model that counts upwards: after t, the token t+1 is the most likely. */
final class GeneratorTest {
  private static final int VOCAB = 10;

  private final Scope scope = Scope.open("test", Memory.host());
  private final ToyLm model = new ToyLm(VOCAB, scope);

  GeneratorTest() {
    Tensor table = model.parameters().named("table").weight();
    for (int t = 0; t < VOCAB; t++) {
      table.setFloat((long) t * VOCAB + (t + 1) % VOCAB, 3);
    }
  }

  @AfterEach
  void close() {
    scope.close();
  }

  @Test
  void stopsAtAStopTokenOrAtTheLimit() {
    try (Decoder decoder = model.decoder(1, 32)) {
      Generator generator = new Generator(decoder, new Sampler.Greedy(), 0, Set.of(7, 9));

      Continuation stopped = generator.generate(new int[] {1, 4}, 10, TokenListener.NONE);
      assertThat(stopped.tokens()).containsExactly(5, 6);
      assertThat(stopped.stopped()).isTrue();

      Continuation cut = generator.generate(new int[] {1}, 3, TokenListener.NONE);
      assertThat(cut.tokens()).containsExactly(2, 3, 4);
      assertThat(cut.stopped()).isFalse();

      Continuation nothing = generator.generate(new int[] {6}, 3, TokenListener.NONE);
      assertThat(nothing.tokens()).isEmpty();
      assertThat(nothing.stopped()).isTrue();
    }
  }

  @Test
  void refusesLogitsThatAreNoNumbers() {
    Tensor table = model.parameters().named("table").weight();
    table.setFloat(4L * VOCAB + 7, Float.NaN);
    try (Decoder decoder = model.decoder(1, 32)) {
      Generator generator = new Generator(decoder, new Sampler.Greedy(), 0, Set.of(9));
      assertThatThrownBy(() -> generator.generate(new int[] {1}, 10, TokenListener.NONE))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("computes NaN for token 7");
    }
  }

  @Test
  void tellsEachTokenAtOnce() {
    List<String> heard = new ArrayList<>();
    try (Decoder decoder = model.decoder(2, 32)) {
      new Generator(decoder, new Sampler.Greedy(), 0, Set.of(5))
          .generate(
              List.of(new int[] {1}, new int[] {3}),
              9,
              (prompt, token) -> heard.add(prompt + ":" + token));
    }
    assertThat(heard).containsExactly("0:2", "1:4", "0:3", "0:4");
  }

  /** The other prompts go on, and the sequence is free for the next. */
  @Test
  void aListenerEndsAContinuation() {
    try (Decoder decoder = model.decoder(1, 32)) {
      List<Continuation> all =
          new Generator(decoder, new Sampler.Greedy(), 0, Set.of(5))
              .generate(
                  List.of(new int[] {1}, new int[] {1}),
                  9,
                  (prompt, token) -> prompt == 1 || token != 3);
      assertThat(all.get(0).tokens()).containsExactly(2, 3);
      assertThat(all.get(0).stopped()).isFalse();
      assertThat(all.get(1).tokens()).containsExactly(2, 3, 4);
      assertThat(all.get(1).stopped()).isTrue();
    }
  }

  @Test
  void whatAPromptGetsDoesNotDependOnTheBatch() {
    List<int[]> prompts = new ArrayList<>();
    for (int i = 0; i < 11; i++) {
      prompts.add(new int[] {i % 8, i % 5});
    }
    Sampler sampler = new Sampler.Random(1.5, 0, 0.95);
    List<List<Integer>> oneByOne = generate(prompts, 1, sampler, 42);

    assertThat(generate(prompts, 4, sampler, 42)).isEqualTo(oneByOne);
    assertThat(generate(prompts, 16, sampler, 42)).isEqualTo(oneByOne);
    assertThat(generate(prompts, 16, sampler, 43)).isNotEqualTo(oneByOne);
  }

  private List<List<Integer>> generate(
      List<int[]> prompts, int sequences, Sampler sampler, long seed) {
    try (Decoder decoder = model.decoder(sequences, 32)) {
      return new Generator(decoder, sampler, seed, Set.of(9))
          .generate(prompts, 20, TokenListener.NONE).stream()
              .map(c -> Arrays.stream(c.tokens()).boxed().toList())
              .toList();
    }
  }

  @Test
  void refusesBadPrompts() {
    try (Decoder decoder = model.decoder(1, 4)) {
      Generator generator = new Generator(decoder, new Sampler.Greedy(), 0, Set.of());
      assertThatThrownBy(() -> generator.generate(new int[0], 3, TokenListener.NONE))
          .hasMessageContaining("prompt 0 has no token");
      assertThatThrownBy(() -> generator.generate(new int[] {1}, 0, TokenListener.NONE))
          .hasMessageContaining("at least 1 new token");
      assertThatThrownBy(() -> generator.generate(new int[5], 1, TokenListener.NONE))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(generator.generate(List.of(), 1, TokenListener.NONE)).isEmpty();
    }
  }
}
