package dev.nibble.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
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
    try (Scope scope = Scope.open("test", Memory.host())) {
      Parameters parameters =
          new Parameters.Builder()
              .add(LoraNames.a(module), true, 8, 256)
              .add(LoraNames.b(module), true, 32, 8)
              .allocate(scope, "adapters");
      init(parameters, new LoraStart.Zero(), seed);
      assertThat(parameters.named(LoraNames.b(module)).weight().toFloats())
          .isEqualTo(new float[32 * 8]);
      return parameters.named(LoraNames.a(module)).weight().toFloats();
    }
  }

  private static void init(Parameters parameters, LoraStart start, long seed) {
    try (Kernels kernels = KernelSets.require("cpu").open(KernelOptions.exact(1))) {
      LoraInit.init(parameters, start, seed, kernels);
    }
  }

  private static Parameters start(Scope scope, LoraStart start) {
    Parameters parameters =
        new Parameters.Builder()
            .add(LoraNames.a("m"), true, 4, 256)
            .add(LoraNames.b("m"), true, 300, 4)
            .add(PeftNames.of("e", LoraNames.EMBEDDING_A), true, 4, 300)
            .add(PeftNames.of("e", LoraNames.EMBEDDING_B), true, 200, 4)
            .allocate(scope, "adapters");
    init(parameters, start, 5);
    return parameters;
  }

  private static double deviation(Parameters p, String name) {
    double square = 0;
    for (float x : p.named(name).weight().toFloats()) {
      square += x * (double) x;
    }
    return Math.sqrt(square / p.named(name).weight().elements());
  }

  @Test
  void valuesSpreadAsInPeft() {
    try (Scope scope = Scope.open("test", Memory.host())) {
      Parameters gaussian = start(scope, new LoraStart.Gaussian());
      assertThat(deviation(gaussian, LoraNames.a("m"))).isCloseTo(0.25, within(0.03));
      assertThat(deviation(gaussian, LoraNames.b("m"))).isZero();
      assertThat(deviation(gaussian, PeftNames.of("e", LoraNames.EMBEDDING_A))).isZero();
      assertThat(deviation(gaussian, PeftNames.of("e", LoraNames.EMBEDDING_B)))
          .isCloseTo(1, within(0.1));
      Parameters noise = start(scope, new LoraStart.Noise());
      assertThat(deviation(noise, LoraNames.a("m"))).isCloseTo(0.036, within(0.003));
      assertThat(deviation(noise, LoraNames.b("m"))).isCloseTo(0.289, within(0.02));
      assertThat(deviation(noise, PeftNames.of("e", LoraNames.EMBEDDING_A)))
          .isCloseTo(1, within(0.1));
    }
  }

  @Test
  void orthogonalHalvesHaveNoProduct() {
    try (Scope scope = Scope.open("test", Memory.host())) {
      Parameters p = start(scope, new LoraStart.Orthogonal());
      float[] a = p.named(LoraNames.a("m")).weight().toFloats();
      float[] b = p.named(LoraNames.b("m")).weight().toFloats();
      assertThat(deviation(p, LoraNames.a("m"))).isCloseTo(0.1 / Math.sqrt(2), within(0.01));
      assertThat(deviation(p, LoraNames.b("m"))).isCloseTo(0.1 / Math.sqrt(2), within(0.01));
      for (int o = 0; o < 300; o++) {
        double product = 0;
        for (int k = 0; k < 4; k++) {
          product += b[4 * o + k] * (double) a[256 * k + o % 256];
        }
        assertThat(product).isCloseTo(0, within(1e-7));
      }
    }
  }
}
