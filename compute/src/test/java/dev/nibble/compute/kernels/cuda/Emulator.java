package dev.nibble.compute.kernels.cuda;

import static org.junit.jupiter.api.Assumptions.abort;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.cuda.cublas.Cublas;
import dev.nibble.compute.kernels.cuda.driver.Cuda;
import dev.nibble.compute.kernels.cuda.products.WeightProducts;
import dev.nibble.compute.kernels.cuda.work.Gpu;
import dev.nibble.compute.tensor.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A CUDA driver for tests that runs kernels on the CPU, see {@code compute/src/test/cuda}. It is
 * compiled from the kernels' sources when a test first asks for it.
 */
public final class Emulator {
  private static final int NO_COMPILER = 3;
  private static final Path BUILD = Path.of("compute/src/test/cuda/build");

  private static Optional<Built> known = Optional.empty();

  private Emulator() {}

  /**
   * The library's path. Without a C++ compiler the calling test is skipped, which is printed.
   *
   * @throws AssertionError when the sources do not compile
   */
  public static synchronized String library() {
    Built built = known.orElseGet(Emulator::build);
    known = Optional.of(built);
    return built.path.orElseGet(() -> abort(built.missing));
  }

  private record Built(Optional<String> path, String missing) {}

  private static Built build() {
    Path root = root();
    try {
      Path log = Files.createTempFile("emulator", ".log");
      try {
        Process build =
            new ProcessBuilder(
                    "bash", root.resolve(BUILD).toString(), root + "/compute/target/emulator")
                .redirectError(log.toFile())
                .start();
        List<String> lines = build.inputReader().lines().toList();
        int status = build.waitFor();
        String errors = Files.readString(log);
        return switch (status) {
          case 0 -> new Built(Optional.of(lines.getLast()), "");
          case NO_COMPILER -> missing(errors.strip());
          default -> throw new AssertionError(BUILD + " failed:\n" + errors);
        };
      } finally {
        Files.delete(log);
      }
    } catch (IOException e) {
      return missing("cannot run bash: " + e.getMessage());
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static Built missing(String reason) {
    System.out.println("Skipping tests on the emulated GPU: " + reason);
    return new Built(Optional.empty(), reason);
  }

  private static Path root() {
    Path folder = Path.of("").toAbsolutePath();
    while (folder != null && !Files.exists(folder.resolve(BUILD))) {
      folder = folder.getParent();
    }
    if (folder == null) {
      throw new UncheckedIOException(new IOException(BUILD + " is in no folder above this one"));
    }
    return folder;
  }

  /** Opens the set on the emulated device; its blocks and threads run in ascending order. */
  public static Kernels open(DType activations) {
    return open(activations, Optional.empty(), WeightProducts.TILE_BYTES);
  }

  /** The same with other products, or other scratch for weights. */
  public static Kernels open(DType activations, Optional<Cublas> cublas, long tileBytes) {
    configure("descending", 0);
    return new CudaKernels(
        Gpu.open(Cuda.load(library()), 0, KernelOptions.Debug.NONE, Optional.empty()),
        activations,
        cublas,
        tileBytes);
  }

  /** A stand-in for cuBLAS that works on the emulated device. */
  public static Cublas cublas() {
    return Cublas.load(Path.of(library()));
  }

  /**
   * Sets what the machine is like, until it is set again: devices, driver_version, capability (86
   * for 8.6), memory (bytes of a device), descending (the order in which blocks and threads run).
   */
  public static void configure(String key, long value) {
    int known =
        (int)
            call(
                "emulator_configure",
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG),
                key,
                value);
    if (known == 0) {
      throw new IllegalArgumentException("the emulator has no setting " + key);
    }
  }

  /** Bytes, streams, events and modules that were not given back. */
  public static long alive() {
    return (long) call("emulator_alive", FunctionDescriptor.of(ValueLayout.JAVA_LONG));
  }

  @SuppressWarnings("restricted")
  private static Object call(String name, FunctionDescriptor descriptor, Object... arguments) {
    MemorySegment function =
        SymbolLookup.libraryLookup(library(), Arena.global()).findOrThrow(name);
    try (Arena arena = Arena.ofConfined()) {
      for (int i = 0; i < arguments.length; i++) {
        if (arguments[i] instanceof String s) {
          arguments[i] = arena.allocateFrom(s);
        }
      }
      return Linker.nativeLinker()
          .downcallHandle(function, descriptor)
          .invokeWithArguments(arguments);
    } catch (Throwable e) {
      throw new AssertionError(name, e);
    }
  }
}
