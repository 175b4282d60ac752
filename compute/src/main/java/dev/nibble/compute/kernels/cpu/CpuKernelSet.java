package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.cpu.onednn.OneDnn;
import dev.nibble.compute.kernels.cpu.onednn.OneDnnException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** The fast set for the CPU: oneDNN's matrix product and Vector API loops. */
public final class CpuKernelSet implements KernelSet {
  private static final String VECTOR_MODULE = "jdk.incubator.vector";

  private volatile int threads = cores();
  private volatile String library = "oneDNN";

  /** For {@link java.util.ServiceLoader}. */
  public CpuKernelSet() {}

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public Optional<String> unavailableBecause() {
    if (ModuleLayer.boot().findModule(VECTOR_MODULE).isEmpty()) {
      return Optional.of(
          "the JVM runs without its vector module; start it with --add-modules " + VECTOR_MODULE);
    }
    return OneDnn.missingBecause();
  }

  @Override
  public String describe() {
    String reason = unavailableBecause().orElse("");
    return reason.isEmpty()
        ? "%s, %s, %d thread%s, %s"
            .formatted(processor(), vectors(), threads, threads == 1 ? "" : "s", library)
        : "not available: " + reason;
  }

  @Override
  public Kernels open(KernelOptions options) {
    unavailableBecause()
        .ifPresent(reason -> {
          throw new KernelUnavailable("kernel set cpu cannot run here: " + reason);
        });
    options.requireHost("cpu");
    OneDnn onednn;
    try {
      onednn = OneDnn.load();
    } catch (OneDnnException e) {
      throw new KernelUnavailable("kernel set cpu cannot run here: " + e.getMessage(), e);
    }
    threads = options.threads() == 0 ? cores() : options.threads();
    library = "oneDNN " + onednn.version();
    return new CpuKernels(onednn, threads);
  }

  private static int cores() {
    return Runtime.getRuntime().availableProcessors();
  }

  private static String vectors() {
    return switch (VectorMath.F.vectorBitSize()) {
      case 512 -> "AVX-512";
      case 256 -> "AVX2";
      default -> VectorMath.F.vectorBitSize() + "-bit vectors";
    };
  }

  private static String processor() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse("x86-64");
    } catch (IOException e) {
      return "x86-64";
    }
  }
}
