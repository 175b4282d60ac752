package dev.nibble.adapters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.nibble.adapters.Parameters.Parameter;
import dev.nibble.compute.kernels.Buffers;
import dev.nibble.compute.kernels.FrozenProducts;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSets;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import dev.nibble.compute.weights.Dense;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class DoraProjectionTest {
  private static final int N = 5;
  private static final int INPUTS = 12;
  private static final int OUTPUTS = 9;

  private final Random random = new Random(4);
  private Kernels kernels;
  private Scope scope;
  private FrozenProjection base;

  @BeforeEach
  void open() {
    kernels = KernelSets.require("cpu").open(KernelOptions.exact(1));
    scope = Scope.open("test", kernels.memory());
    base = projection(normal("w", OUTPUTS, INPUTS), Optional.of(normal("bias", OUTPUTS)));
  }

  private FrozenProjection projection(Tensor weight, Optional<Tensor> bias) {
    return new FrozenProjection(
        new Dense(weight), bias, new FrozenProducts(Buffers.of(kernels, scope), N));
  }

  @AfterEach
  void close() {
    scope.close();
    kernels.close();
  }

  /** A map with an update that is not zero. */
  private record Adapted(Projection map, Parameters parameters) {}

  private Adapted adapted(LoraSpec spec) {
    List<AdapterTarget> targets = List.of(new AdapterTarget("m", false, OUTPUTS, INPUTS, N));
    Parameters.Builder builder = new Parameters.Builder();
    spec.declare(builder, targets);
    Parameters p = builder.allocate(scope, "adapters");
    Adapter adapter = spec.build(targets, p, 1, kernels, scope);
    return new Adapted(adapter.on("m", base), p);
  }

  private static LoraSpec spec(double dropout) {
    return new LoraSpec(3, 6, dropout, TargetModules.allLinear()).withStart(new LoraStart.Noise());
  }

  private Tensor normal(String name, long... dims) {
    Tensor t = scope.allocate(name, DType.F32, dims);
    for (int i = 0; i < t.elements(); i++) {
      t.setFloat(i, random.nextGaussian());
    }
    return t;
  }

  /** At first m/n is 1, so results and gradients are those of plain LoRA. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 0.4})
  void beginsAsPlainLora(double dropout) {
    Adapted dora = adapted(spec(dropout).withDora());
    Adapted lora = adapted(spec(dropout));
    Tensor x = normal("x", N, INPUTS);
    Tensor dout = normal("dout", N, OUTPUTS);
    ForwardMode mode = ForwardMode.training(7);
    Tensor[] out = new Tensor[2];
    Tensor[] dx = new Tensor[2];
    for (int i = 0; i < 2; i++) {
      Projection map = (i == 0 ? dora : lora).map();
      out[i] = normal("out", N, OUTPUTS);
      dx[i] = scope.allocate("dx", DType.F32, N, INPUTS);
      map.forward(kernels, out[i], x, mode);
      map.backward(kernels, dx[i], dout, x, mode);
    }
    assertThat(out[0].toFloats()).containsExactly(out[1].toFloats(), within(1e-4f));
    assertThat(dx[0].toFloats()).containsExactly(dx[1].toFloats(), within(1e-4f));
    for (Parameter p : lora.parameters().all()) {
      assertThat(dora.parameters().named(p.name()).gradient().toFloats())
          .as(p.name())
          .containsExactly(p.gradient().toFloats(), within(1e-4f));
    }
  }

  /** Lengths are constants for A and B, but neither x nor m is in them. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 0.4})
  void gradientsOfInputAndMagnitudeAreSlopes(double dropout) {
    Adapted dora = adapted(spec(dropout).withDora());
    Parameter m = dora.parameters().named(PeftNames.of("m", LoraNames.MAGNITUDE));
    for (int i = 0; i < OUTPUTS; i++) {
      m.weight().setFloat(i, m.weight().getFloat(i) * (1 + 0.2 * random.nextGaussian()));
    }
    Tensor x = normal("x", N, INPUTS);
    Tensor dout = normal("dout", N, OUTPUTS);
    Tensor out = normal("out", N, OUTPUTS);
    Tensor dx = scope.allocate("dx", DType.F32, N, INPUTS);
    ForwardMode mode = ForwardMode.training(7);
    dora.map().forward(kernels, out, x, mode);
    dora.map().backward(kernels, dx, dout, x, mode);
    for (int i = 0; i < INPUTS; i++) {
      assertThat(dx.getDouble(i)).isCloseTo(slope(dora, x, i, dout, out, mode), within(2e-2));
    }
    for (int i = 0; i < OUTPUTS; i++) {
      double slope = slope(dora, m.weight(), i, x, dout, out, mode);
      assertThat(m.gradient().getDouble(i)).isCloseTo(slope, within(2e-2));
    }
  }

  /**
   * Rows without a direction, or too short for the square of their length to be told from 0: at
   * first the map is its base, and nothing that it computes is NaN or infinite, nor after B has
   * moved.
   */
  @ParameterizedTest
  @ValueSource(doubles = {0, 1e-30, 1e-22, 1e-18})
  void rowsOfZerosStayFinite(double value) {
    Tensor w = normal("w", OUTPUTS, INPUTS);
    for (int i = 0; i < INPUTS; i++) {
      w.setFloat(i, value); // row 0
    }
    base = projection(w, Optional.empty());
    LoraSpec spec = new LoraSpec(3, 6, 0, TargetModules.allLinear());
    Adapted dora = adapted(spec.withDora());
    Tensor x = normal("x", N, INPUTS);
    Tensor dout = normal("dout", N, OUTPUTS);
    Tensor out = normal("out", N, OUTPUTS);
    Tensor expected = normal("expected", N, OUTPUTS);
    Tensor dx = scope.allocate("dx", DType.F32, N, INPUTS);
    ForwardMode mode = ForwardMode.training(7);
    base.forward(kernels, expected, x, mode);
    for (int step = 0; step < 3; step++) {
      dora.map().forward(kernels, out, x, mode);
      if (step == 0) {
        for (int i = 0; i < N * OUTPUTS; i++) {
          double e = expected.getDouble(i);
          assertThat(out.getDouble(i)).isCloseTo(e, within(1e-5 * Math.abs(e)));
        }
      }
      dora.map().backward(kernels, dx, dout, x, mode);
      for (Parameter p : dora.parameters().all()) {
        for (int i = 0; i < p.weight().elements(); i++) {
          assertThat(p.gradient().getFloat(i)).as(p.name()).isFinite();
          p.weight().setFloat(i, p.weight().getFloat(i) - 1e-2 * p.gradient().getFloat(i));
        }
      }
      assertThat(out.toFloats()).doesNotContain(Float.NaN, Float.POSITIVE_INFINITY);
      assertThat(dx.toFloats()).doesNotContain(Float.NaN, Float.POSITIVE_INFINITY);
    }
  }

  private double slope(Adapted a, Tensor x, int i, Tensor dout, Tensor out, ForwardMode mode) {
    return slope(a, x, i, x, dout, out, mode);
  }

  private double slope(
      Adapted a, Tensor moved, int i, Tensor x, Tensor dout, Tensor out, ForwardMode mode) {
    float at = moved.getFloat(i);
    double step = 1e-2;
    moved.setFloat(i, at + step);
    double above = value(a, x, dout, out, mode);
    moved.setFloat(i, at - step);
    double below = value(a, x, dout, out, mode);
    moved.setFloat(i, at);
    return (above - below) / (2 * step);
  }

  private double value(Adapted a, Tensor x, Tensor dout, Tensor out, ForwardMode mode) {
    a.map().forward(kernels, out, x, mode);
    double sum = 0;
    for (int i = 0; i < out.elements(); i++) {
      sum += out.getDouble(i) * dout.getDouble(i);
    }
    return sum;
  }
}
