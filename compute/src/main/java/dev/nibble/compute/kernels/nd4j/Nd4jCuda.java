package dev.nibble.compute.kernels.nd4j;

import dev.nibble.compute.kernels.cuda.driver.Cuda;
import dev.nibble.compute.kernels.cuda.driver.CudaDevice;
import dev.nibble.compute.kernels.cuda.driver.CudaException;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;

/** Checks for ND4J's CUDA backend, nd4j-cuda-11.6: whether it is installed and can run. */
final class Nd4jCuda {
  /** The Maven profile that brings it. */
  static final String PROFILE = "nd4j-cuda";

  private static final String SETTINGS = "/nd4j-jcublas.properties";

  // Its library has machine code for 3.7 to 8.6 and no PTX: 8.9 takes that of 8.6, later cards
  // none.
  private static final int NEWEST_MAJOR = 8;
  private static final int NEWEST_MINOR = 9;

  private Nd4jCuda() {}

  /** Whether the class path has it. */
  static boolean installed() {
    return Nd4jCuda.class.getResource(SETTINGS) != null;
  }

  /** Why it cannot run on the first device; empty when it can. */
  static Optional<String> unavailableBecause() {
    try {
      Cuda cuda = Cuda.load();
      cuda.initialize();
      return unavailableBecause(CudaDevice.of(cuda, 0));
    } catch (CudaException e) {
      return Optional.of(e.problem());
    }
  }

  /** Why it cannot run on this device; empty when it can. */
  static Optional<String> unavailableBecause(CudaDevice device) {
    if (!installed()) {
      return Optional.of(
          "ND4J's CUDA backend is not on the class path: build with -P%s (NIBBLE_MAVEN=-P%s ./nibble ...)"
              .formatted(PROFILE, PROFILE));
    }
    return tooNew(device).or(Nd4jCuda::missingLibraries);
  }

  /** Why its library has no code for a device. */
  static Optional<String> tooNew(CudaDevice device) {
    boolean runs =
        device.major() < NEWEST_MAJOR
            || (device.major() == NEWEST_MAJOR && device.minor() <= NEWEST_MINOR);
    return runs
        ? Optional.empty()
        : Optional.of(
            "nd4j-cuda-11.6 has code for compute capability 3.7 to %d.%d, and cuda:%d, %s, has %s; NVIDIA's driver can allocate there, which is the default"
                .formatted(
                    NEWEST_MAJOR,
                    NEWEST_MINOR,
                    device.index(),
                    device.name(),
                    device.capability()));
  }

  private static Optional<String> missingLibraries() {
    for (String library : new String[] {"cudart", "cublas"}) {
      try {
        Loader.load(Class.forName("org.bytedeco.cuda.global." + library));
      } catch (ClassNotFoundException | LinkageError e) {
        return Optional.of(
            "cannot load %s of CUDA 11.6 (%s): install the CUDA 11.6 libraries where the dynamic loader finds them"
                .formatted(library, e.getMessage()));
      }
    }
    return Optional.empty();
  }
}
