package dev.nibble.compute.kernels;

import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Device;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import dev.nibble.compute.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Consumer;

/**
 * One comparison of a kernel with the reference. Arguments are declared first: inputs, outputs
 * (poisoned with NaN) and gradients (pre-filled with noise). {@link #run} then calls the kernel
 * once on the reference and twice on the set under test, each time on fresh copies, and demands
 * that results agree, that both calls gave the same bits, and that inputs are as they were.
 */
final class Trial implements Operands, AutoCloseable {
  private final Kernels kernels;
  private final DType activations;
  private final Random random;
  private final Scope host = Scope.open("trial", Memory.host());
  private final Scope device;
  private final Kernels reference = new ReferenceKernels();
  private final List<Argument> arguments = new ArrayList<>();

  /** A trial whose activations and their gradients are of this dtype. */
  Trial(Kernels kernels, DType activations, long seed) {
    this.kernels = kernels;
    this.activations = activations;
    this.random = new Random(seed);
    this.device = Scope.open("trial", kernels.memory());
  }

  @Override
  public DType activations() {
    return activations;
  }

  private enum Role {
    INPUT,
    RESULT
  }

  /** A tensor of the call, in as many copies as there are calls. */
  static final class Argument implements Operand {
    private final Tensor initial;
    private final Role role;
    private Tolerance tolerance;
    private Tensor current;

    private Argument(Tensor initial, Role role, Tolerance tolerance) {
      this.initial = initial;
      this.role = role;
      this.tolerance = tolerance;
      this.current = initial;
    }

    /** The copy of the call that is being made. */
    @Override
    public Tensor get() {
      return current;
    }

    /** How well this result must agree. */
    @Override
    public Argument within(Tolerance t) {
      tolerance = t;
      return this;
    }

    /** Sets the initial values. */
    @Override
    public Argument put(float... values) {
      initial.put(values);
      return this;
    }

    /** Sets one initial value. */
    @Override
    public Argument set(long i, double value) {
      initial.setFloat(i, value);
      return this;
    }
  }

  /** An input of independent normal values: activations, or their gradient. */
  @Override
  public Argument normal(String name, long... dims) {
    return normal(name, 1, dims);
  }

  /** An input of normal values times a factor: activations, or their gradient. */
  Argument normal(String name, double factor, long... dims) {
    return normal(name, activations, factor, dims);
  }

  /** An F32 input of independent normal values: what trains, a table, or a statistic. */
  @Override
  public Argument parameter(String name, long... dims) {
    return normal(name, DType.F32, 1, dims);
  }

  /** An input of independent normal values times a factor, rounded to a dtype. */
  @Override
  public Argument normal(String name, DType dtype, double factor, long... dims) {
    Tensor t = host.allocate(name, dtype, dims);
    for (long i = 0; i < t.elements(); i++) {
      t.setFloat(i, factor * random.nextGaussian());
    }
    return add(t, Role.INPUT, Tolerance.EXACT);
  }

  /** An I32 input with values in [0, limit). */
  @Override
  public Argument indices(String name, int limit, long n) {
    Tensor t = host.allocate(name, DType.I32, n);
    for (long i = 0; i < n; i++) {
      t.setLong(i, random.nextInt(limit));
    }
    return add(t, Role.INPUT, Tolerance.EXACT);
  }

  /** Activations of which the caller sets the values; zeros until then. */
  Argument input(String name, long... dims) {
    return input(name, activations, dims);
  }

  /** An input of which the caller sets the values; zeros until then. */
  @Override
  public Argument input(String name, DType dtype, long... dims) {
    return add(host.allocate(name, dtype, dims), Role.INPUT, Tolerance.EXACT);
  }

  /** What a kernel overwrites: NaN, or all bits set, until then. */
  @Override
  public Argument output(String name, DType dtype, long... dims) {
    Tensor t = host.allocate(name, dtype, dims);
    t.memory().fill((byte) 0xff);
    return add(t, Role.RESULT, Tolerance.ofSum(1));
  }

  /** An output of activations. */
  @Override
  public Argument output(String name, long... dims) {
    return output(name, activations, dims);
  }

  /** Activations that a kernel adds to, or changes in place: normal values until then. */
  @Override
  public Argument gradient(String name, long... dims) {
    return gradient(name, activations, dims);
  }

  /** What a kernel adds to, or changes in place: independent normal values until then. */
  @Override
  public Argument gradient(String name, DType dtype, long... dims) {
    Argument noise = normal(name, dtype, 1, dims);
    arguments.remove(noise);
    return add(noise.initial, Role.RESULT, Tolerance.ofSum(1).ofTermsLike(1));
  }

  /** U8 codes that a kernel changes in place, of which every bit counts: random until then. */
  @Override
  public Argument codes(String name, long n) {
    Tensor t = host.allocate(name, DType.U8, n);
    for (long i = 0; i < n; i++) {
      t.setLong(i, random.nextInt(256));
    }
    return add(t, Role.RESULT, Tolerance.EXACT);
  }

  private Argument add(Tensor t, Role role, Tolerance tolerance) {
    Argument a = new Argument(t, role, tolerance);
    arguments.add(a);
    return a;
  }

  /** The random numbers of this trial. */
  @Override
  public Random random() {
    return random;
  }

  /** Calls the kernel on the set under test alone, and gives one of its results. */
  Tensor resultOf(Argument result, Consumer<Kernels> call) {
    return callOn(kernels, call).get(arguments.indexOf(result));
  }

  /** Calls the kernel everywhere and compares. */
  void run(Consumer<Kernels> call) {
    List<Tensor> expected = callReference(call);
    List<Tensor> first = callOn(kernels, call);
    List<Tensor> second = callOn(kernels, call);
    for (int i = 0; i < arguments.size(); i++) {
      Argument a = arguments.get(i);
      switch (a.role) {
        case INPUT -> same(first.get(i), a.initial, "was changed, though an input:");
        case RESULT -> {
          agree(first.get(i), expected.get(i), a.tolerance);
          same(second.get(i), first.get(i), "differs between two calls:");
        }
      }
    }
  }

  /**
   * What the reference says, not yet rounded to a 16-bit result's dtype unless bits are compared.
   */
  private List<Tensor> callReference(Consumer<Kernels> call) {
    for (Argument a : arguments) {
      boolean widened =
          a.role == Role.RESULT && !a.tolerance.exact() && a.initial.dtype() == DType.BF16;
      a.current =
          host.allocate(
              a.initial.name(), widened ? DType.F32 : a.initial.dtype(), a.initial.shape().dims());
      reference.moving().copy(a.current, a.initial);
    }
    call.accept(reference);
    return arguments.stream().map(a -> a.current).toList();
  }

  private List<Tensor> callOn(Kernels set, Consumer<Kernels> call) {
    boolean onHost = set.memory().device() instanceof Device.Host;
    for (Argument a : arguments) {
      Scope scope = onHost ? host : device;
      a.current = scope.allocate(a.initial.name(), a.initial.dtype(), a.initial.shape().dims());
      if (onHost) {
        a.current.memory().copyFrom(a.initial.memory());
      } else {
        set.moving().copy(a.current, a.initial);
      }
    }
    call.accept(set);
    return arguments.stream().map(a -> onHost ? a.current : fetch(set, a.current)).toList();
  }

  private Tensor fetch(Kernels set, Tensor t) {
    Tensor copy = host.allocate(t.name(), t.dtype(), t.shape().dims());
    set.moving().copy(copy, t);
    return copy;
  }

  private void same(Tensor got, Tensor expected, String what) {
    long i = firstDifference(got, expected);
    if (i >= 0) {
      throw new AssertionError(
          "%s: %s %s %s and %s"
              .formatted(kernels.name(), place(got, i), what, text(got, i), text(expected, i)));
    }
  }

  private void agree(Tensor got, Tensor expected, Tolerance tolerance) {
    if (tolerance.exact()) {
      long b = firstDifference(got, expected);
      if (b >= 0) {
        throw new AssertionError(
            "%s: %s is %s, reference says %s (bit for bit)"
                .formatted(kernels.name(), place(got, b), text(got, b), text(expected, b)));
      }
      return;
    }
    long cols = got.shape().rank() < 2 ? got.elements() : got.cols();
    for (long row = 0; row < got.elements(); row += cols) {
      double allowed = tolerance.allowed(largest(expected, row, cols), activations);
      agreeRow(got, expected, allowed, row, cols);
    }
  }

  /** NaN equals NaN here, whatever its payload: Java leaves that to the compiler. */
  private static long firstDifference(Tensor got, Tensor expected) {
    for (long i = 0; i < got.elements(); i++) {
      boolean equal =
          got.dtype().isFloating()
              ? Double.compare(got.getDouble(i), expected.getDouble(i)) == 0
              : got.getLong(i) == expected.getLong(i);
      if (!equal) {
        return i;
      }
    }
    return -1;
  }

  private void agreeRow(Tensor got, Tensor expected, double allowed, long row, long cols) {
    for (long i = row; i < row + cols; i++) {
      double g = got.getDouble(i);
      double e = expected.getDouble(i);
      double rounding = got.dtype() == DType.BF16 ? Tolerance.BF16 * Math.abs(e) : 0;
      boolean agrees =
          Double.isFinite(e) ? Math.abs(g - e) <= allowed + rounding : Double.compare(g, e) == 0;
      if (!agrees) {
        throw new AssertionError(
            String.format(
                Locale.ROOT,
                "%s: %s is %s, reference says %s (allowed error %.1e)",
                kernels.name(),
                place(got, i),
                text(got, i),
                text(expected, i),
                allowed + rounding));
      }
    }
  }

  private static double largest(Tensor t, long from, long n) {
    double largest = 0;
    for (long i = from; i < from + n; i++) {
      double x = Math.abs(t.getDouble(i));
      largest = Double.isFinite(x) ? Math.max(largest, x) : largest;
    }
    return largest;
  }

  /** For example {@code out[3, 7][6]}: element 6 of a 3 by 7 tensor. */
  private static String place(Tensor t, long i) {
    return t.name() + t.shape() + "[" + i + "]";
  }

  private static String text(Tensor t, long i) {
    return t.dtype().isFloating()
        ? String.format(Locale.ROOT, "%.9g", t.getDouble(i))
        : Long.toString(t.getLong(i));
  }

  @Override
  public void close() {
    host.close();
    device.close();
  }
}
