package dev.nibble.compute.kernels;

import dev.nibble.compute.kernels.KernelOptions.Debug;
import dev.nibble.compute.kernels.Workload.Sizes;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Times every workload on a kernel set, a GPU's too, by its profile, and compares it with what the
 * machine can do at most. Arguments: the set, then numbers of tokens, or {@code small} for sizes
 * that an emulated GPU can compute.
 */
final class KernelRates {
  private static final int WARM_UP = 5;
  private static final int CALLS = 20;
  private static final Sizes SMALL = new Sizes(16, 2, 64, 256, 512, 8);

  private KernelRates() {}

  /** Prints a table. */
  public static void main(String[] args) {
    KernelOptions options = KernelOptions.ofThreads(0).debugging(Debug.PROFILE);
    KernelSet set = KernelSets.require(args[0]);
    try (Kernels kernels = set.open(options)) {
      Roofline peak = Roofline.measure(kernels);
      System.out.printf(
          Locale.ROOT,
          "%s%nat most %.3f TFLOP/s, %.1f GB/s%n%-24s %7s %9s %8s %8s %8s%n",
          KernelSets.describe(set),
          peak.operations() / 1e12,
          peak.bytes() / 1e9,
          "workload",
          "tokens",
          "ms",
          "GB/s",
          "TFLOP/s",
          "of peak");
      for (String arg : Arrays.asList(args).subList(1, args.length)) {
        Sizes sizes = arg.equals("small") ? SMALL : Sizes.LLAMA_7B.ofTokens(Integer.parseInt(arg));
        for (Workload workload : Workload.ALL) {
          row(kernels, workload, sizes, peak);
        }
      }
    }
  }

  private static void row(Kernels kernels, Workload workload, Sizes sizes, Roofline peak) {
    KernelProfile profile = kernels.profile().orElseThrow();
    try (OperandsOfSet operands = new OperandsOfSet(kernels)) {
      Workload.Call call = workload.definition().declare(operands, sizes);
      operands.copyToSet();
      for (int i = 0; i < WARM_UP; i++) {
        call.on().accept(kernels);
      }
      profile.start();
      for (int i = 0; i < CALLS; i++) {
        call.on().accept(kernels);
      }
      KernelTimes times = profile.stop();
      double seconds = (times.seconds() - times.gaps()) / CALLS;
      double bytes = operands.host.bytes();
      System.out.printf(
          Locale.ROOT,
          "%-24s %7d %9.4f %8.1f %8.3f %7.1f%%%n",
          workload.name(),
          sizes.tokens(),
          seconds * 1e3,
          bytes / seconds / 1e9,
          call.operations() / seconds / 1e12,
          100 * peak.seconds(bytes, call.operations()) / seconds);
    }
  }

  /** Operands whose values are set on the host, and which then lie where the set computes. */
  private static final class OperandsOfSet implements Operands, AutoCloseable {
    private final Kernels kernels;
    private final PlainOperands host;
    private final Scope scope;
    private final List<Moved> all = new ArrayList<>();

    OperandsOfSet(Kernels kernels) {
      this.kernels = kernels;
      host = new PlainOperands(kernels.activations());
      scope = Scope.open("rates", kernels.memory());
    }

    void copyToSet() {
      all.forEach(Moved::copyToSet);
    }

    /** An operand of the host until it is copied. */
    private final class Moved implements Operand {
      private final Operand of;
      private Tensor current;

      Moved(Operand of) {
        this.of = of;
        current = of.get();
      }

      private void copyToSet() {
        Tensor there = scope.allocate(current.name(), current.dtype(), current.shape().dims());
        kernels.moving().copy(there, current);
        current = there;
      }

      @Override
      public Tensor get() {
        return current;
      }

      @Override
      public Operand within(Tolerance t) {
        return this;
      }

      @Override
      public Operand put(float... values) {
        of.put(values);
        return this;
      }

      @Override
      public Operand set(long i, double value) {
        of.set(i, value);
        return this;
      }
    }

    private Operand moved(Operand operand) {
      Moved moved = new Moved(operand);
      all.add(moved);
      return moved;
    }

    @Override
    public DType activations() {
      return host.activations();
    }

    @Override
    public Random random() {
      return host.random();
    }

    @Override
    public Operand normal(String name, DType dtype, double factor, long... dims) {
      return moved(host.normal(name, dtype, factor, dims));
    }

    @Override
    public Operand indices(String name, int limit, long n) {
      return moved(host.indices(name, limit, n));
    }

    @Override
    public Operand input(String name, DType dtype, long... dims) {
      return moved(host.input(name, dtype, dims));
    }

    @Override
    public Operand output(String name, DType dtype, long... dims) {
      return moved(host.output(name, dtype, dims));
    }

    @Override
    public Operand gradient(String name, DType dtype, long... dims) {
      return moved(host.gradient(name, dtype, dims));
    }

    @Override
    public Operand codes(String name, long n) {
      return moved(host.codes(name, n));
    }

    @Override
    public void close() {
      try (host;
          scope) {
        all.clear();
      }
    }
  }
}
