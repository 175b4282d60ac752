package dev.nibble.api.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The corpus of the fuzzer, with everything that failed once, and a few damaged files of each
 * reader. {@code .ci/fuzz} runs many more.
 */
class FuzzTest {
  private static final int CASES = 60;

  @TempDir Path folder;

  static Stream<String> targets() {
    return FuzzTargets.all().stream().map(FuzzTarget::name);
  }

  @ParameterizedTest
  @MethodSource("targets")
  @Timeout(120)
  void readsOrRefuses(String name) throws IOException {
    FuzzTarget target = FuzzTargets.named(name);
    List<byte[]> seeds = target.seeds();
    Mutator mutator = new Mutator(new SplittableRandom(5), seeds, target.text());
    FuzzCase one = new FuzzCase(target, folder.resolve("case"));
    List<String> faults = new ArrayList<>();
    int read = 0;
    for (int i = 0; i < seeds.size() + CASES; i++) {
      try {
        byte[] damaged = i < seeds.size() ? seeds.get(i) : mutator.next();
        read += one.read(damaged) == FuzzCase.Outcome.READ ? 1 : 0;
      } catch (FuzzCase.FuzzFault e) {
        faults.add("case " + i + ": " + e.place() + ": " + e.fault());
      }
    }
    assertThat(faults).isEmpty();
    assertThat(read).as("sound files that were read").isPositive();
  }
}
