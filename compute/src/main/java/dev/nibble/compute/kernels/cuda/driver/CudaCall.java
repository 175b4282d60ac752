package dev.nibble.compute.kernels.cuda.driver;

import dev.nibble.errors.Fault;
import dev.nibble.errors.Remedy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** Calls of the CUDA driver: a status or a throwable becomes an exception here and nowhere else. */
final class CudaCall {
  private final MethodHandle errorName;
  private final MethodHandle errorString;

  /**
   * The driver's functions that explain its errors.
   *
   * @param errorName cuGetErrorName
   * @param errorString cuGetErrorString
   */
  CudaCall(MethodHandle errorName, MethodHandle errorString) {
    this.errorName = errorName;
    this.errorString = errorString;
  }

  /** A native call that gives a CUresult. */
  @FunctionalInterface
  interface Body {
    int invoke() throws Throwable;
  }

  /** Makes a call; an error becomes a {@link CudaException}. */
  void run(String operation, Body body) {
    int status;
    try {
      status = body.invoke();
    } catch (Throwable e) {
      throw failed(operation, e);
    }
    check(operation, status);
  }

  /** Passes when {@code status} is CUDA_SUCCESS. */
  void check(String operation, int status) {
    if (status != 0) {
      throw refused(operation, status, "");
    }
  }

  /** What the driver's refusal becomes; {@code detail} is what else it said. */
  CudaException refused(String operation, int status, String detail) {
    String advice = advice(status);
    return new CudaException(
        "CUDA: %s gave %s (%d, %s)%s%s"
            .formatted(
                operation,
                text(errorName, status),
                status,
                text(errorString, status),
                detail.isEmpty() ? "" : ": " + detail,
                advice.isEmpty() ? "" : ". " + advice),
        remedy(status),
        status);
  }

  /** A call that did not return. */
  static RuntimeException failed(String operation, Throwable cause) {
    if (cause instanceof Error e) {
      throw e;
    }
    return new CudaException(Fault.BUG, "CUDA: the call of " + operation + " failed", cause);
  }

  @SuppressWarnings("restricted")
  private static String text(MethodHandle of, int status) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      int unknown = (int) of.invokeExact(status, out);
      return unknown != 0
          ? "unknown error"
          : out.get(ValueLayout.ADDRESS, 0).reinterpret(Long.MAX_VALUE).getString(0);
    } catch (Throwable e) {
      throw failed("cuGetErrorName", e);
    }
  }

  /** Errors of kernels, after which a context answers every call with the same error. */
  static boolean losesContext(int status) {
    return switch (status) {
      case 214, 700, 702, 710, 714, 715, 716, 717, 718, 719 -> true;
      default -> false;
    };
  }

  private static Optional<Remedy> remedy(int status) {
    if (losesContext(status)) {
      return Optional.of(Remedy.WAIT_FOR_EACH_KERNEL);
    }
    return status == CudaException.OUT_OF_MEMORY
        ? Optional.of(Remedy.LESS_DEVICE_MEMORY)
        : Optional.empty();
  }

  /** What to look at, where no setting of the run is to blame. */
  private static String advice(int status) {
    if (losesContext(status)) {
      return "A kernel failed, perhaps one that was launched earlier, and this process cannot use the device any more";
    }
    return switch (status) {
      case CudaException.OUT_OF_MEMORY -> "";
      case 46 -> "Another program has the device for itself, or it hangs: see nvidia-smi";
      case 100 ->
          "nvidia-smi must list a device; a container sees one only when it is started with it (docker run --gpus all); see also CUDA_VISIBLE_DEVICES";
      case 101 ->
          "Devices are counted from 0, by their places on the PCI bus as nvidia-smi lists them (where CUDA_DEVICE_ORDER is PCI_BUS_ID, as nibble sets it), and CUDA_VISIBLE_DEVICES leaves some out";
      case 209, 218, 222 -> "Update NVIDIA's driver: Nibble's kernels need version 520 or later";
      case 802 -> "The system's fabric manager is not ready: see nvidia-smi and its service's log";
      case 803, 804 ->
          "The driver's library does not fit its kernel module: restart the machine after a driver update; in a container use the host's library";
      default -> "nvidia-smi and the system's log (dmesg) may say more";
    };
  }
}
