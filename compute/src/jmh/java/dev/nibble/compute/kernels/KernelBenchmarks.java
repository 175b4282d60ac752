package dev.nibble.compute.kernels;

import dev.nibble.compute.kernels.cpu.CpuKernelSet;
import dev.nibble.compute.tensor.DType;
import dev.nibble.compute.tensor.Memory;
import dev.nibble.compute.tensor.Scope;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Times kernels of the {@code cpu} set at the sizes of Llama 2 7B, each against its floor: the time
 * of a copy that moves as many bytes, or of as many operations at the rate of large matrix
 * products, whichever is longer. Arguments are regular expressions for the names of workloads.
 *
 * <p>All in one process: a kernel shares its loops with others there, as in a run, and its floor is
 * measured in the same seconds.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class KernelBenchmarks {
  private static final TimeValue ITERATION = TimeValue.milliseconds(200);
  private static final int WARMUP = 5;
  private static final int ITERATIONS = 5;

  /** A workload's tensors, and two more for the copy. */
  @State(org.openjdk.jmh.annotations.Scope.Benchmark)
  public static class Prepared {
    /** A name in {@link Workload#ALL}. */
    @Param("add")
    public String workload = "";

    /** Of activations. */
    @Param("F32")
    public DType dtype = DType.F32;

    private Kernels kernels = new ReferenceKernels();
    private Runnable kernel = () -> {};
    private Runnable copy = () -> {};
    private Scope scope = Scope.open("copy", Memory.host());
    private PlainOperands operands = new PlainOperands(dtype);

    /** Allocates. */
    @Setup
    public void open() {
      kernels = openSet(dtype);
      operands = new PlainOperands(dtype);
      var call = find(workload).definition().declare(operands, Workload.Sizes.LLAMA_7B);
      kernel = () -> call.on().accept(kernels);
      scope = Scope.open("copy", Memory.host());
      var from = scope.allocate("from", DType.U8, operands.bytes() / 2);
      var to = scope.allocate("to", DType.U8, operands.bytes() / 2);
      copy = () -> kernels.moving().copy(to, from);
    }

    /** Frees. */
    @TearDown
    public void close() {
      kernels.close();
      operands.close();
      scope.close();
    }
  }

  /** The workload. */
  @Benchmark
  public void kernel(Prepared p) {
    p.kernel.run();
  }

  /** A copy that moves as many bytes. */
  @Benchmark
  public void copy(Prepared p) {
    p.copy.run();
  }

  private static Kernels openSet(DType dtype) {
    KernelOptions auto = KernelOptions.ofThreads(0);
    return new CpuKernelSet().open(dtype == DType.F32 ? auto.inFloat32() : auto);
  }

  private static Workload find(String name) {
    return Workload.ALL.stream().filter(w -> w.name().equals(name)).findFirst().orElseThrow();
  }

  /** Runs the workloads that match any argument, or all, and prints a table. */
  public static void main(String[] args) throws RunnerException {
    List<Workload> chosen =
        Workload.ALL.stream()
            .filter(w -> args.length == 0 || List.of(args).stream().anyMatch(w.name()::matches))
            .toList();
    if (chosen.isEmpty()) {
      throw new IllegalArgumentException(
          "no workload is called %s; there are %s"
              .formatted(
                  String.join(" or ", args), Workload.ALL.stream().map(Workload::name).toList()));
    }
    DType best;
    try (Kernels k = new CpuKernelSet().open(KernelOptions.ofThreads(0))) {
      best = k.activations();
    }
    for (DType dtype : best == DType.F32 ? List.of(best) : List.of(DType.F32, best)) {
      double rate;
      try (Kernels k = openSet(dtype)) {
        rate = MatrixRate.measure(k) / 1e9; // operations a nanosecond
      }
      System.out.printf(Locale.ROOT, "%n%s, matrix products at %.0f GFLOP/s%n", dtype, rate);
      System.out.printf("%-24s %-5s %9s %9s %6s%n", "kernel", "dtype", "ms", "floor", "ratio");
      for (Workload w : chosen) {
        row(w, dtype, rate);
      }
    }
  }

  private static void row(Workload w, DType dtype, double rate) throws RunnerException {
    double operations;
    try (PlainOperands o = new PlainOperands(dtype)) {
      operations = w.definition().declare(o, Workload.Sizes.LLAMA_7B).operations();
    }
    double time = measure("kernel", w, dtype);
    double floor = Math.max(measure("copy", w, dtype), operations / rate);
    System.out.printf(
        Locale.ROOT,
        "%-24s %-5s %9.3f %9.3f %6.1f%n",
        w.name(),
        dtype,
        time / 1e6,
        floor / 1e6,
        time / floor);
  }

  /** Nanoseconds of a call in the best iteration: others may use the machine. */
  private static double measure(String benchmark, Workload w, DType dtype) throws RunnerException {
    var options =
        new OptionsBuilder()
            .include(KernelBenchmarks.class.getName() + "\\." + benchmark + "$")
            .param("workload", w.name())
            .param("dtype", dtype.name())
            .forks(0)
            .warmupIterations(WARMUP)
            .warmupTime(ITERATION)
            .measurementIterations(ITERATIONS)
            .measurementTime(ITERATION)
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT)
            .build();
    RunResult result = new Runner(options).runSingle();
    return result.getPrimaryResult().getStatistics().getMin();
  }
}
