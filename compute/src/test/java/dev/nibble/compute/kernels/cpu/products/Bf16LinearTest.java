package dev.nibble.compute.kernels.cpu.products;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Batches of every length share few compiled products, or memory would grow from step to step. */
class Bf16LinearTest {
  @Test
  void tokensAreSummedOverInFewSizes() {
    Set<Integer> sizes = new TreeSet<>();
    for (int tokens = 1; tokens <= 10_000; tokens++) {
      long done = 0;
      while (done < tokens) {
        int part = Bf16Linear.part(tokens - done);
        assertThat(part).isPositive();
        sizes.add(part);
        done += part;
      }
      assertThat(done).isEqualTo(tokens);
    }
    // Fewer than a panel's step, and powers of two from there to 4,096.
    assertThat(sizes).hasSize(31 + 8);
  }
}
