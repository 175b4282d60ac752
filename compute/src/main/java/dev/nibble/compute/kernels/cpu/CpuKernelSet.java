package dev.nibble.compute.kernels.cpu;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.Platform;
import dev.nibble.compute.kernels.Processor;
import dev.nibble.compute.kernels.ProfiledKernels;
import dev.nibble.compute.kernels.cpu.onednn.OneDnn;
import dev.nibble.compute.kernels.cpu.onednn.OneDnnException;
import dev.nibble.compute.kernels.cpu.work.VectorMath;
import dev.nibble.compute.tensor.DType;
import dev.nibble.errors.Remedy;
import java.util.Optional;
import java.util.Set;

/** The fast set for the CPU: oneDNN's matrix product and Vector API loops. */
public final class CpuKernelSet implements KernelSet {
  private static final String VECTOR_MODULE = "jdk.incubator.vector";

  private volatile int threads = cores();
  private volatile String library = "oneDNN";
  private volatile DType activations = dtype(KernelOptions.Activations.AUTO);

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
        ? "%s, %s, %d thread%s, %s, %s"
            .formatted(
                Processor.here().name(),
                vectors(),
                threads,
                threads == 1 ? "" : "s",
                library,
                activations == DType.BF16 ? "bf16" : "f32")
        : "not available: " + reason;
  }

  @Override
  public Kernels open(KernelOptions options) {
    unavailableBecause()
        .ifPresent(reason -> {
          throw new KernelUnavailable("kernel set cpu cannot run here: " + reason);
        });
    options.requireHost("cpu");
    DType dtype = dtype(options.activations());
    OneDnn onednn;
    try {
      onednn = OneDnn.load();
    } catch (OneDnnException e) {
      throw new KernelUnavailable("kernel set cpu cannot run here", e);
    }
    threads = options.threads() == 0 ? cores() : options.threads();
    library = "oneDNN " + onednn.version();
    activations = dtype;
    return ProfiledKernels.where(options, new CpuKernels(onednn, threads, dtype));
  }

  private static DType dtype(KernelOptions.Activations asked) {
    return switch (asked) {
      case F32 -> DType.F32;
      case AUTO -> Bf16Support.missingBecause().isEmpty() ? DType.BF16 : DType.F32;
      case BF16 -> {
        Bf16Support.missingBecause()
            .ifPresent(reason -> {
              throw new KernelUnavailable(
                  "activations in bfloat16: " + reason, Remedy.AUTOMATIC_ACTIVATIONS);
            });
        yield DType.BF16;
      }
    };
  }

  private static int cores() {
    return Runtime.getRuntime().availableProcessors();
  }

  private static String vectors() {
    return vectors(
        Platform.here().architecture(), Processor.here().flags(), VectorMath.F.vectorBitSize());
  }

  /** What instructions of vectors so long are called on a processor with these flags. */
  static String vectors(Platform.Architecture architecture, Set<String> flags, int bits) {
    return switch (architecture) {
      case X86_64 ->
          switch (bits) {
            case 512 -> "AVX-512";
            case 256 -> "AVX2";
            default -> bits + "-bit vectors";
          };
      case ARM64 -> "%s, %d bits".formatted(flags.contains("sve") ? "SVE" : "NEON", bits);
      case OTHER -> bits + "-bit vectors";
    };
  }
}
