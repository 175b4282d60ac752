package dev.nibble.compute.kernels.cpu;

import static org.assertj.core.api.Assertions.fail;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;

/** Sums keep their bits when the just-in-time compiler replaces the code that takes them. */
final class StableSumsTest {
  private static final int LENGTH = 64;

  /** Enough for the last compiler tier. */
  private static final int CALLS = 60_000;

  @Test
  void dot() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment a = random(arena, 1);
      MemorySegment b = random(arena, 2);
      assertStable(() -> VectorMath.dot(a, 0, b, 0, LENGTH));
    }
  }

  @Test
  void sumOfExp() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment a = random(arena, 3);
      assertStable(() -> VectorMath.sumOfExp(a, 0, LENGTH, 0.5f));
    }
  }

  private static void assertStable(DoubleSupplier sum) {
    double first = sum.getAsDouble();
    for (int i = 0; i < CALLS; i++) {
      double now = sum.getAsDouble();
      if (now != first) {
        fail("call %d gave %s, the first %s".formatted(i, now, first));
      }
    }
  }

  private static MemorySegment random(Arena arena, long seed) {
    Random random = new Random(seed);
    MemorySegment m = arena.allocate(4L * LENGTH, 64);
    for (int i = 0; i < LENGTH; i++) {
      VectorMath.set(m, i, (float) random.nextGaussian());
    }
    return m;
  }
}
