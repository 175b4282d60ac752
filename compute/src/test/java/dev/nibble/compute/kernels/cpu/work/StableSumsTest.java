package dev.nibble.compute.kernels.cpu.work;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Sums keep their bits when the just-in-time compiler replaces the code that takes them. */
final class StableSumsTest {
  private static final int LENGTH = 64;
  private static final int ROWS = 100;

  /** With as many rows, enough calls for the last compiler tier. */
  private static final int ROUNDS = 1000;

  /** A sum over one row. */
  private interface RowSum {
    double of(MemorySegment m, long start);
  }

  @Test
  void dot() {
    assertStable((m, start) -> VectorMath.dot(m, start, m, start, LENGTH));
  }

  @Test
  void sumOfExp() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment work = arena.allocate(4L * LENGTH, 64);
      assertStable((m, start) -> VectorMath.exp(m, start, work, 0, LENGTH, 1, 0.5f));
    }
  }

  private static void assertStable(RowSum sum) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment m = random(arena);
      double[] first = all(sum, m);
      for (int i = 0; i < ROUNDS; i++) {
        assertThat(all(sum, m)).as("round %d", i).isEqualTo(first);
      }
    }
  }

  private static double[] all(RowSum sum, MemorySegment m) {
    double[] sums = new double[ROWS];
    for (int r = 0; r < ROWS; r++) {
      sums[r] = sum.of(m, (long) r * LENGTH);
    }
    return sums;
  }

  private static MemorySegment random(Arena arena) {
    Random random = new Random(1);
    MemorySegment m = arena.allocate(4L * LENGTH * ROWS, 64);
    for (int i = 0; i < LENGTH * ROWS; i++) {
      VectorMath.set(m, i, (float) random.nextGaussian());
    }
    return m;
  }
}
