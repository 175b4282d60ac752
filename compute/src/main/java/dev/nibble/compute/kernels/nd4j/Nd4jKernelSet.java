package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.Processor;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOpsHolder;

/** The portable set: runs wherever ND4J's native library does. */
public final class Nd4jKernelSet implements KernelSet {
  static {
    // JavaCPP writes its warnings to standard error unless it is told to log them.
    if (System.getProperty("org.bytedeco.javacpp.logger") == null) {
      System.setProperty("org.bytedeco.javacpp.logger", "slf4j");
    }
  }

  @Override
  public String name() {
    return "nd4j";
  }

  @Override
  public Optional<String> unavailableBecause() {
    String platform = Loader.Detector.getPlatform();
    String library = "/org/nd4j/linalg/cpu/nativecpu/bindings/" + platform + "/";
    if (Nd4j.class.getResource(library) != null) {
      return Optional.empty();
    }
    return Optional.of(
        "the class path has no ND4J library for "
            + platform
            + "; add org.nd4j:nd4j-native with the classifier "
            + platform);
  }

  @Override
  public String describe() {
    if (Nd4jCuda.installed() && Nd4jBackend.notCudaBecause().isEmpty()) {
      return "ND4J on the GPU; tensors stay on the host, and each operation moves them";
    }
    String threads =
        "ND4J on %d threads".formatted(Runtime.getRuntime().availableProcessors())
            + Nd4jBackend.notCudaBecause().map(reason -> ", not on the GPU: " + reason).orElse("");
    return missesAvx512()
        ? threads + " (OPENBLAS_CORETYPE=SKYLAKEX may make it use this processor's AVX-512)"
        : threads;
  }

  /** ND4J's OpenBLAS takes its AVX2 kernels on processors that are newer than it. */
  private static boolean missesAvx512() {
    return System.getenv("OPENBLAS_CORETYPE") == null
        && Processor.here().flags().contains("avx512f");
  }

  @Override
  public Kernels open(KernelOptions options) {
    unavailableBecause()
        .ifPresent(reason -> {
          throw new KernelUnavailable("kernel set nd4j cannot run here: " + reason);
        });
    options.requireHost("nd4j");
    options.requireFloat32("nd4j");
    int threads = options.threads();
    int count = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
    if (!Nd4jBackend.isCuda()) {
      Nd4j.getEnvironment().setMaxMasterThreads(count);
      NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(count);
    }
    return new Nd4jKernels();
  }
}
