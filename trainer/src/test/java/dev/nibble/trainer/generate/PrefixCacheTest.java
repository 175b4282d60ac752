package dev.nibble.trainer.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.nibble.trainer.model.Decoder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PrefixCacheTest {
  private static final int[] ONE = {0};

  /** Tells what it is fed, and whether it forgets everything where it should keep a part. */
  private static final class Recording implements Decoder {
    private final List<Integer> held = new ArrayList<>();
    private final List<Integer> fed = new ArrayList<>();
    private final int sequences;
    private boolean forgets;
    private boolean closed;

    Recording(int sequences) {
      this.sequences = sequences;
    }

    @Override
    public int sequences() {
      return sequences;
    }

    @Override
    public int keep(int sequence, int length) {
      int kept = forgets ? 0 : length;
      held.subList(kept, held.size()).clear();
      return kept;
    }

    @Override
    public float[][] feed(int[] which, int[][] tokens) {
      fed.clear();
      Arrays.stream(tokens[0]).forEach(fed::add);
      held.addAll(fed);
      return new float[][] {{held.size()}};
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  private static float feed(Decoder decoder, int... tokens) {
    return decoder.feed(ONE, new int[][] {tokens})[0][0];
  }

  @Test
  void feedsWhatIsNewAlone() {
    Recording real = new Recording(1);
    try (PrefixCache cache = new PrefixCache(real)) {
      cache.reset(0);
      feed(cache, 1, 2, 3);
      feed(cache, 4);
      assertThat(real.held).containsExactly(1, 2, 3, 4);

      cache.reset(0);
      assertThat(feed(cache, 1, 2, 3, 4, 5, 6)).isEqualTo(6);
      assertThat(real.fed).containsExactly(5, 6);

      cache.reset(0);
      feed(cache, 1, 2, 9);
      assertThat(real.fed).containsExactly(9);
      assertThat(real.held).containsExactly(1, 2, 9);

      cache.reset(0); // the same again: the last token, for its logits
      feed(cache, 1, 2, 9);
      assertThat(real.fed).containsExactly(9);

      cache.reset(0);
      feed(cache, 7);
      assertThat(real.held).containsExactly(7);

      assertThat(cache.keep(0, 1)).isEqualTo(1);
      feed(cache, 8);
      assertThat(real.held).containsExactly(7, 8);
    }
    assertThat(real.closed).isTrue();
  }

  @Test
  void feedsAllWhereTheModelForgets() {
    Recording real = new Recording(1);
    try (PrefixCache cache = new PrefixCache(real)) {
      feed(cache, 1, 2, 3);
      real.forgets = true;
      cache.reset(0);
      feed(cache, 1, 2, 4);
      assertThat(real.fed).containsExactly(1, 2, 4);
    }
  }

  @Test
  void takesOneSequence() {
    assertThatThrownBy(() -> new PrefixCache(new Recording(2))).hasMessage("one sequence, not 2");
  }
}
