package dev.nibble.trainer.optim;

import static org.assertj.core.api.Assertions.assertThat;

import dev.nibble.adapters.Parameters;
import dev.nibble.adapters.Parameters.ParameterGroup;
import dev.nibble.compute.kernels.HostCopies;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.Paging;
import dev.nibble.compute.kernels.cpu.CpuKernelSet;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What optimizers remember, where, and how far 8 bits lead from 32. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class OptimizersTest {
  private static final AdamW.Settings ADAM = new AdamW.Settings(0.9, 0.999, 1e-8, 0.01);
  private static final Rates RATES = new Rates(4, 0.5);

  /** Makes an optimizer. */
  interface Maker {
    Optimizer make(Kernels kernels, Parameters parameters, StateMemory memory);
  }

  static Stream<Maker> makers() {
    return Stream.of(
        (k, p, m) -> new AdamW(k, p, ADAM, RATES, m),
        (k, p, m) -> new AdamW8bit(k, p, ADAM, RATES, m),
        (k, p, m) -> new Lion(k, p, new Lion.Settings(0.9, 0.99, 0.01), RATES, m),
        (k, p, m) -> new Sgd(k, p, new Sgd.Settings(0.9, 0.01), RATES, m),
        (k, p, m) -> new Sgd(k, p, new Sgd.Settings(0, 0.01), RATES, m),
        (k, p, m) -> new Adafactor(k, p, new Adafactor.Settings(0.01), RATES, m.scope()));
  }

  @TempDir Path folder;

  private Kernels kernels = new CpuKernelSet().open(KernelOptions.exact(2));

  @BeforeAll
  void open() {
    kernels = new CpuKernelSet().open(KernelOptions.exact(2));
  }

  @AfterAll
  void close() {
    kernels.close();
  }

  /** Sizes on both sides of the least of 8 bits, whole blocks and broken ones, and an embedding. */
  private static Parameters parameters(Scope scope) {
    Parameters parameters =
        new Parameters.Builder()
            .add("a", true, 64, 100)
            .add("odd", true, 71, 67)
            .add("b", ParameterGroup.FAST, true, 96, 64)
            .add("small", true, 13, 3)
            .add("bias", ParameterGroup.FAST, false, 5000)
            .addEmbedding("table", true, 50, 90)
            .add("norm", false, 100)
            .add("last", true, 64, 128)
            .allocate(scope, "weights");
    Random random = new Random(5);
    Tensor w = parameters.weights();
    for (long i = 0; i < w.elements(); i++) {
      w.setFloat(i, random.nextGaussian());
    }
    return parameters;
  }

  /** Gradients that depend on the weights, as real ones do, and on chance. */
  private static void steps(Parameters parameters, Optimizer optimizer, int from, int to) {
    Tensor w = parameters.weights();
    Tensor g = parameters.gradients();
    for (int step = from; step <= to; step++) {
      Random random = new Random(step);
      for (long i = 0; i < w.elements(); i++) {
        g.setFloat(i, 0.1 * w.getFloat(i) + random.nextGaussian());
      }
      optimizer.update(1e-2);
    }
  }

  private Map<String, float[]> result(Parameters parameters, Optimizer optimizer) {
    Map<String, float[]> state = new HashMap<>();
    state.put("weights", parameters.weights().toFloats());
    try (HostCopies host = new HostCopies(kernels)) {
      optimizer.state().save(host).forEach((name, t) -> state.put(name, t.toFloats()));
    }
    return state;
  }

  private static void assertSame(Map<String, float[]> got, Map<String, float[]> expected) {
    assertThat(got).hasSameSizeAs(expected);
    got.forEach((name, t) -> assertThat(t).as(name).isEqualTo(expected.get(name)));
  }

  private Map<String, float[]> run(Maker maker, int steps) {
    try (Scope scope = Scope.open("test", Memory.host())) {
      Parameters parameters = parameters(scope);
      try (Optimizer optimizer = maker.make(kernels, parameters, StateMemory.resident(scope))) {
        steps(parameters, optimizer, 1, steps);
        return result(parameters, optimizer);
      }
    }
  }

  /** 100, 50, 10 and 0 percent of the state. */
  @ParameterizedTest
  @ValueSource(ints = {100, 50, 10, 0})
  void pagesDoNotChangeResults(int percent) {
    for (Maker maker : makers().limit(4).toList()) {
      Map<String, float[]> expected = run(maker, 4);
      try (Scope scope = Scope.open("test", Memory.host())) {
        Parameters parameters = parameters(scope);
        long bytes = bytes(maker, parameters);
        Path file = folder.resolve("pages-" + percent);
        StateMemory memory = StateMemory.paged(scope, new Paging(bytes * percent / 100, file));
        long before = scope.bytes();
        try (Optimizer optimizer = maker.make(kernels, parameters, memory)) {
          assertThat(scope.bytes() - before).isLessThanOrEqualTo(bytes * percent / 100);
          if (percent < 100) {
            assertThat(file).exists();
          }
          steps(parameters, optimizer, 1, 4);
          assertSame(result(parameters, optimizer), expected);
        }
        assertThat(file).doesNotExist();
      }
    }
  }

  private long bytes(Maker maker, Parameters parameters) {
    try (Scope scope = Scope.open("size", Memory.host());
        Optimizer optimizer = maker.make(kernels, parameters, StateMemory.resident(scope))) {
      assertThat(scope.bytes()).isEqualTo(optimizer.state().bytes());
      return scope.bytes();
    }
  }

  /** Saved from one layout of pages, restored into another. */
  @ParameterizedTest
  @MethodSource("makers")
  void goesOnToTheBit(Maker maker) {
    Map<String, float[]> expected = run(maker, 6);
    Map<String, Tensor> saved = new HashMap<>();
    try (Scope scope = Scope.open("test", Memory.host())) {
      Parameters first = parameters(scope);
      try (Optimizer optimizer = maker.make(kernels, first, StateMemory.resident(scope));
          HostCopies host = new HostCopies(kernels)) {
        steps(first, optimizer, 1, 3);
        optimizer
            .state()
            .save(host)
            .forEach((name, t) -> {
              Tensor copy = scope.allocate(name, t.dtype(), t.shape().dims());
              copy.memory().copyFrom(t.memory());
              saved.put(name, copy);
            });
      }
      Parameters second = parameters(scope);
      second.weights().memory().copyFrom(first.weights().memory());
      Paging paging = new Paging(40_000, folder.resolve("resumed"));
      try (Optimizer optimizer = maker.make(kernels, second, StateMemory.paged(scope, paging))) {
        assertThat(optimizer.state().entries().stream().map(OptimizerState.Entry::name))
            .containsExactlyInAnyOrderElementsOf(saved.keySet());
        optimizer.state().restore(name -> named(saved, name));
        optimizer.resumeAfter(3);
        steps(second, optimizer, 4, 6);
        assertSame(result(second, optimizer), expected);
      }
    }
  }

  private static Tensor named(Map<String, Tensor> state, String name) {
    return Objects.requireNonNull(state.get(name), name);
  }

  /** Its codes and scales are what they would be if it were alone. */
  @Test
  void aParametersStateIsItsOwn() {
    try (Scope scope = Scope.open("test", Memory.host())) {
      Parameters all = parameters(scope);
      StateMemory memory = StateMemory.resident(scope);
      try (Optimizer optimizer = new AdamW8bit(kernels, all, ADAM, Rates.EQUAL, memory);
          HostCopies host = new HostCopies(kernels)) {
        steps(all, optimizer, 1, 1);
        Map<String, Tensor> state = optimizer.state().save(host);
        assertThat(named(state, "last.exp_avg").dtype()).isEqualTo(DType.U8);
        assertThat(named(state, "last.exp_avg.absmax").elements()).isEqualTo(64 * 128 / 256);
        for (String wide : List.of("small", "norm", "table")) {
          assertThat(named(state, wide + ".exp_avg").dtype()).as(wide).isEqualTo(DType.F32);
        }
        for (String name : List.of("odd", "last", "bias")) {
          Parameters one =
              new Parameters.Builder()
                  .add(name, true, all.named(name).weight().elements())
                  .allocate(scope, "alone");
          kernels.moving().copy(one.weights(), all.named(name).weight());
          kernels.moving().copy(one.gradients(), all.named(name).gradient());
          try (Optimizer alone = new AdamW8bit(kernels, one, ADAM, Rates.EQUAL, memory)) {
            alone.update(1e-2);
            alone
                .state()
                .save(host)
                .forEach((entry, t) ->
                    assertThat(t.toFloats()).as(entry).isEqualTo(named(state, entry).toFloats()));
          }
        }
      }
    }
  }

  /** A noisy quadratic of 8192 weights: the bound is in docs/numerics.md. */
  @Test
  void eightBitsStayNearThirtyTwo() {
    List<float[]> paths = new ArrayList<>();
    for (int bits : new int[] {32, 8}) {
      try (Scope scope = Scope.open("test", Memory.host())) {
        Parameters p = new Parameters.Builder().add("w", true, 64, 128).allocate(scope, "weights");
        StateMemory memory = StateMemory.resident(scope);
        AdamW.Settings settings = AdamW.Settings.DEFAULT;
        try (Optimizer optimizer =
            bits == 8
                ? new AdamW8bit(kernels, p, settings, Rates.EQUAL, memory)
                : new AdamW(kernels, p, settings, Rates.EQUAL, memory)) {
          descend(p, optimizer);
        }
        paths.add(p.weights().toFloats());
      }
    }
    double apart = 0;
    double length = 0;
    for (int i = 0; i < paths.getFirst().length; i++) {
      apart += Math.pow((double) paths.get(0)[i] - paths.get(1)[i], 2);
      length += Math.pow(paths.get(0)[i], 2);
    }
    double relative = Math.sqrt(apart / length);
    System.getLogger("optimizers").log(System.Logger.Level.INFO, "8 bits: {0}", relative);
    assertThat(relative).isBetween(1e-6, 0.02);
  }

  private static void descend(Parameters p, Optimizer optimizer) {
    Random targets = new Random(11);
    float[] target = new float[Math.toIntExact(p.count())];
    for (int i = 0; i < target.length; i++) {
      target[i] = (float) targets.nextGaussian();
    }
    Random noise = new Random(12);
    for (int step = 0; step < 300; step++) {
      for (int i = 0; i < target.length; i++) {
        double g = p.weights().getFloat(i) - target[i] + 0.3 * noise.nextGaussian();
        p.gradients().setFloat(i, g);
      }
      optimizer.update(0.02 * (1 - step / 300.0));
    }
  }
}
