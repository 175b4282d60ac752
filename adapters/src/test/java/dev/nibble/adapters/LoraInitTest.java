package dev.nibble.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import org.junit.jupiter.api.Test;

final class LoraInitTest {

  @Test
  void aIsUniformAndBIsZero() {
    float[] a = init(1, "m");
    double square = 0;
    for (float x : a) {
      assertThat(Math.abs(x)).isLessThanOrEqualTo(1 / 16f); // 1 / sqrt(256)
      square += x * (double) x;
    }
    assertThat(Math.sqrt(square / a.length)).isCloseTo(1 / 16.0 / Math.sqrt(3), within(1e-3));
    assertThat(a).isEqualTo(init(1, "m"));
    assertThat(a).isNotEqualTo(init(2, "m")).isNotEqualTo(init(1, "n"));
  }

  private static float[] init(long seed, String module) {
    try (Scope scope = Scope.open("test", Memory.host(), Scope.UNLIMITED)) {
      Parameters parameters =
          new Parameters.Builder()
              .add(PeftNames.a(module), true, 8, 256)
              .add(PeftNames.b(module), true, 32, 8)
              .allocate(scope, "adapters");
      LoraInit.init(parameters, new LoraStart.Zero(), seed);
      assertThat(parameters.named(PeftNames.b(module)).weight().toFloats())
          .isEqualTo(new float[32 * 8]);
      return parameters.named(PeftNames.a(module)).weight().toFloats();
    }
  }
}
