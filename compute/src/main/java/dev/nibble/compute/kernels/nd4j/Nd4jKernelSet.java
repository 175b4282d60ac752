package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.files.FileProblem;
import dev.nibble.compute.kernels.KernelOptions;
import dev.nibble.compute.kernels.KernelSet;
import dev.nibble.compute.kernels.KernelUnavailable;
import dev.nibble.compute.kernels.Kernels;
import dev.nibble.compute.kernels.Processor;
import dev.nibble.compute.kernels.ProfiledKernels;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOpsHolder;

/** The portable set: runs wherever ND4J's native library does. */
public final class Nd4jKernelSet implements KernelSet {
  private static final String CACHE = "org.bytedeco.javacpp.cachedir";

  static {
    // JavaCPP writes its warnings to standard error unless it is told to log them.
    if (System.getProperty("org.bytedeco.javacpp.logger") == null) {
      System.setProperty("org.bytedeco.javacpp.logger", "slf4j");
    }
    if (System.getProperty(CACHE) == null) {
      System.setProperty(
          CACHE, Path.of(System.getProperty("user.home"), ".javacpp", "cache").toString());
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
      return noCacheBecause(Path.of(System.getProperty(CACHE)));
    }
    return Optional.of(
        "the class path has no ND4J library for "
            + platform
            + "; add org.nd4j:nd4j-native with the classifier "
            + platform);
  }

  /**
   * Why JavaCPP cannot unpack libraries into its cache. It would then take a folder in the
   * temporary one, of a name that anybody can tell: another user could have put libraries there.
   */
  static Optional<String> noCacheBecause(Path folder) {
    try {
      Files.createDirectories(folder);
      if (Files.isWritable(folder)) {
        return Optional.empty();
      }
      throw new AccessDeniedException(folder.toString());
    } catch (IOException e) {
      return Optional.of(
          "its libraries cannot be unpacked into %s: %s; NIBBLE_OPTS=-D%s=FOLDER names another folder, to which only you should be able to write"
              .formatted(folder, FileProblem.of(e), CACHE));
    }
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
    return ProfiledKernels.where(options, new Nd4jKernels());
  }
}
