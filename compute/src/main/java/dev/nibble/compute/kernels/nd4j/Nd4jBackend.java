package dev.nibble.compute.kernels.nd4j;

import java.io.IOException;
import java.net.URL;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Optional;
import org.nd4j.common.config.ND4JClassLoading;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The choice of ND4J's backend. ND4J tries its CUDA backend first whenever it is on the class path;
 * where that cannot run, it is hidden from ND4J, and the reason is kept for the log.
 */
final class Nd4jBackend {
  private static final String SERVICE = "META-INF/services/org.nd4j.linalg.factory.Nd4jBackend";

  private static final Optional<String> NOT_CUDA = choose();
  private static volatile boolean alwaysStaged;

  private Nd4jBackend() {}

  private static Optional<String> choose() {
    if (!Nd4jCuda.installed()) {
      return Optional.empty();
    }
    Optional<String> reason = Nd4jCuda.unavailableBecause();
    if (reason.isPresent()) {
      ND4JClassLoading.setNd4jClassloader(new WithoutCuda(Nd4jBackend.class.getClassLoader()));
    }
    return reason;
  }

  /** Why ND4J's CUDA backend, which is on the class path, is not the one; else empty. */
  static Optional<String> notCudaBecause() {
    return NOT_CUDA;
  }

  /** Whether ND4J computes on a GPU. Starts ND4J. */
  static boolean isCuda() {
    return !Nd4j.getEnvironment().isCPU();
  }

  /** Whether tensors must be moved to the backend's own arrays and back. */
  static boolean staged() {
    return alwaysStaged || isCuda();
  }

  /** For tests: what a device's backend needs, on the CPU's. */
  static void stageAlways(boolean always) {
    alwaysStaged = always;
  }

  /** A class loader that hides the CUDA backend's entry in ND4J's list of backends. */
  private static final class WithoutCuda extends ClassLoader {
    WithoutCuda(ClassLoader parent) {
      super(parent);
    }

    @Override
    public Enumeration<URL> getResources(String name) throws IOException {
      List<URL> all = Collections.list(super.getResources(name));
      return Collections.enumeration(
          name.equals(SERVICE)
              ? all.stream().filter(url -> !url.toString().contains("nd4j-cuda")).toList()
              : all);
    }
  }
}
